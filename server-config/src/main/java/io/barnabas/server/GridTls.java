package io.barnabas.server;

import com.hazelcast.cluster.Address;
import com.hazelcast.instance.impl.DefaultNodeContext;
import com.hazelcast.instance.impl.EnterpriseNodeExtension;
import com.hazelcast.instance.impl.NodeExtension;
import com.hazelcast.internal.networking.Channel;
import com.hazelcast.internal.networking.ChannelInitializer;
import com.hazelcast.internal.server.ServerConnection;
import com.hazelcast.internal.util.ServiceLoader;
import io.barnabas.start.Refusal;
import java.security.GeneralSecurityException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Puts TLS under what members of the data grid say to each other: both sides show that they have the cluster's key. Chosen before Hazelcast
 * starts, asked by its extension for each connection. Any thread.
 */
public final class GridTls {
    private static final Logger LOG = Logger.getLogger(GridTls.class.getName());
    private static final String PROTOCOL = "TLSv1.3";

    /** A connection whose other end has not shown the key by then is closed. */
    private static final int HANDSHAKE_SECONDS = 10;
    /** A node with another key tries again and again. */
    private static final int TELL_EVERY_SECONDS = 10;

    private static volatile @Nullable GridTls inUse;

    private final SSLContext context;
    private final AtomicBoolean told = new AtomicBoolean();

    /** What of the member is needed here. */
    public interface Member {
        /** Does something some seconds from now. */
        void later(Runnable task, int seconds);

        /** Nobody of the grid is at this address, look at others. */
        void onRefused(Address address);
    }

    private GridTls(SSLContext context) {
        this.context = context;
    }

    /** For all members that start in this process from now on. */
    static void use(KeyManager keys, TrustManager trust) throws GeneralSecurityException {
        requirePlace(DefaultNodeContext.EXTENSION_PRIORITY_LIST);
        SSLContext context = SSLContext.getInstance(PROTOCOL);
        context.init(new KeyManager[] {keys}, new TrustManager[] {trust}, null);
        inUse = new GridTls(context);
    }

    /** Members that start from now on talk in the clear. */
    static void useNone() {
        inUse = null;
    }

    /** Null if members talk in the clear. */
    public static @Nullable GridTls inUse() {
        return inUse;
    }

    /**
     * Chooses as Hazelcast does.
     *
     * @param names of extensions, the one that it prefers first
     * @throws Refusal if that is not the one that asks here: a grid that starts all the same would talk in the clear
     */
    static void requirePlace(List<String> names) {
        int best = Integer.MAX_VALUE;
        @Nullable Class<?> chosen = null;
        try {
            Iterator<Class<NodeExtension>> found = ServiceLoader.classIterator(
                    NodeExtension.class, NodeExtension.class.getName(), NodeExtension.class.getClassLoader());
            while (found.hasNext()) {
                Class<?> each = found.next();
                int place = names.indexOf(each.getName());
                if (place >= 0 && place < best) {
                    best = place;
                    chosen = each;
                }
            }
        } catch (Exception e) { // Hazelcast declares no narrower one
            LOG.log(Level.WARNING, "The data grid's extensions cannot be listed", e);
        }
        if (chosen != EnterpriseNodeExtension.class) {
            throw new Refusal(
                    "barnabas.cluster.key and barnabas.cluster.discovery exclude each other here: this version of the"
                            + " container's data grid has no place where connections can be encrypted; leave one of them away");
        }
    }

    /** The same connections, with TLS under them. */
    public ChannelInitializer under(ChannelInitializer plain, Member member) {
        return channel -> {
            SSLEngine engine = context.createSSLEngine();
            engine.setUseClientMode(channel.isClientMode());
            engine.setEnabledProtocols(new String[] {PROTOCOL});
            engine.setNeedClientAuth(!channel.isClientMode());
            engine.beginHandshake();
            SecuredChannel secured = new SecuredChannel(channel, engine, reason -> onRefused(channel, reason, member));
            channel.inboundPipeline().addLast(secured.decrypting());
            plain.initChannel(channel);
            channel.outboundPipeline().addLast(secured.encrypting());
            member.later(() -> giveUp(channel, secured, member), HANDSHAKE_SECONDS);
        };
    }

    private void giveUp(Channel channel, SecuredChannel secured, Member member) {
        if (!secured.isKnown() && !channel.isClosed()) {
            String reason = "It has shown no key for " + HANDSHAKE_SECONDS + " seconds";
            onRefused(channel, reason, member);
            if (channel.attributeMap().get(ServerConnection.class) instanceof ServerConnection connection) {
                connection.close(reason, null);
            }
        }
    }

    private void onRefused(Channel channel, String reason, Member member) {
        if (told.compareAndSet(false, true)) {
            LOG.log(
                    Level.WARNING,
                    "A node is refused in the data grid, do all have the same barnabas.cluster.key? {0}; remote={1}",
                    new Object[] {reason, channel.remoteSocketAddress()});
            member.later(() -> told.set(false), TELL_EVERY_SECONDS);
        }
        if (channel.attributeMap().get(Address.class) instanceof Address called) {
            member.onRefused(called);
        }
    }
}
