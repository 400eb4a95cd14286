package io.barnabas.net;

import io.barnabas.port.ClusterKey;
import io.barnabas.port.ConnectionRefusedException;
import io.barnabas.port.PeerConnection;
import io.barnabas.port.PeerConnector;
import io.barnabas.time.Clock;
import io.barnabas.wire.RequestEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.util.NetUtil;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.errors.DisconnectException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connections to other brokers and the event loops that serve them, apart from the server's: what a follower appends there holds no client
 * up. The loops are made with the first connection, so that a broker alone has none. The resource adapter makes it with the port, before
 * the broker starts, and closes it after the broker. Safe from any thread.
 */
public final class PeerClient implements PeerConnector, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PeerClient.class);

    private final Transport transport = Transport.best();
    private final Executor lookups;
    private final PeerBounds bounds;
    private final Clock clock;
    private volatile @Nullable ClusterTls tls;
    private @Nullable Running running; // guarded by this
    private boolean closed; // guarded by this

    /** @param lookups where names of hosts are looked up, which may block */
    public PeerClient(Clock clock, Executor lookups) {
        this(
                clock,
                lookups,
                PeerBounds.defaults(Runtime.getRuntime().availableProcessors(), PlatformDependent.maxDirectMemory()));
    }

    public PeerClient(Clock clock, Executor lookups, PeerBounds bounds) {
        this.clock = clock;
        this.lookups = lookups;
        this.bounds = bounds;
    }

    /** From now on connections are opened with the cluster's key. @throws IOException if it cannot be used */
    public void secure(ClusterKey key) throws IOException {
        tls = ClusterTls.connecting(key);
    }

    private record Running(EventLoopGroup loops, PooledByteBufAllocator buffers, PeerContext peers) {}

    /** @throws IllegalStateException if the client is closed */
    @Override
    public PeerConnection connect(String host, int port, String clientId) {
        Running parts;
        PeerChannel peer;
        synchronized (this) { // a close from here on finds the connection
            parts = running();
            peer = new PeerChannel(host, port, clientId, parts.loops().next(), parts.peers());
            parts.peers().open().add(peer);
        }
        byte @Nullable [] address = NetUtil.createByteArrayFromIpAddressString(host);
        try {
            if (address != null) {
                peer.eventLoop().execute(() -> open(parts, peer, address, port));
            } else {
                lookups.execute(() -> lookUp(parts, peer, host, port));
            }
        } catch (RejectedExecutionException e) {
            LOG.debug("no connection is opened; host={} port={}", host, port, e);
            fail(peer, new DisconnectException("too many names are looked up, or the broker stops"));
        }
        return peer;
    }

    private synchronized Running running() {
        if (closed) {
            throw new IllegalStateException("connections to other brokers are closed");
        }
        if (running == null) {
            PooledByteBufAllocator buffers = Transport.buffers(bounds.eventLoopThreads());
            FrameContext frames = new FrameContext(
                    bounds.maxFrameBytes(), clock, new FrameBudget(bounds.receiveBytes()), new LogLimit(clock));
            running = new Running(
                    transport.eventLoops(bounds.eventLoopThreads(), "barnabas-peer"),
                    buffers,
                    new PeerContext(bounds, frames, new RequestEncoder(buffers), ConcurrentHashMap.newKeySet()));
        }
        return running;
    }

    private void lookUp(Running parts, PeerChannel peer, String host, int port) {
        try {
            byte[] address = InetAddress.getByName(host).getAddress();
            peer.eventLoop().execute(() -> open(parts, peer, address, port));
        } catch (UnknownHostException e) {
            LOG.debug("the host is unknown; host={}", host, e);
            fail(peer, new DisconnectException("the host " + host + " is unknown"));
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop has ended; host={}", host, e);
        }
    }

    private static void fail(PeerChannel peer, DisconnectException cause) {
        try {
            peer.eventLoop().execute(() -> peer.fail(cause));
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop has ended", e);
        }
    }

    /** On the connection's event loop. */
    private void open(Running parts, PeerChannel peer, byte[] address, int port) {
        if (!peer.isOpen()) {
            return;
        }
        InetSocketAddress to;
        try {
            to = new InetSocketAddress(InetAddress.getByAddress(address), port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("not the bytes of an address", e);
        }
        FrameDecoder frames = new FrameDecoder(parts.peers().frames());
        ChannelFuture opening = bootstrap(parts, peer, frames).connect(to);
        peer.onOpening(opening.channel(), frames);
        opening.addListener(done -> {
            if (!done.isSuccess()) {
                LOG.debug("no connection; peer={}", to, done.cause());
                peer.fail(notConnected(to, done.cause()));
            }
        });
    }

    private static DisconnectException notConnected(InetSocketAddress to, Throwable cause) {
        String words = "no connection to " + to + ": " + cause.getMessage();
        return isRefusal(cause) ? new ConnectionRefusedException(words) : new DisconnectException(words);
    }

    /** The exception's class says as much of a host that is not reached: only the system's words, or its number, tell them apart. */
    private static boolean isRefusal(Throwable cause) {
        String words = String.valueOf(cause.getMessage());
        return cause instanceof ConnectException && (words.contains("refused") || words.contains("(-111)"));
    }

    private Bootstrap bootstrap(Running parts, PeerChannel peer, FrameDecoder frames) {
        return new Bootstrap()
                .group(peer.eventLoop())
                .channel(transport.clientClass())
                .option(ChannelOption.ALLOCATOR, parts.buffers())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, bounds.connectTimeoutMs())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast("frames", frames).addLast("peer", peer);
                        receive(channel, frames, parts.peers().frames());
                    }
                });
    }

    private void receive(Channel channel, FrameDecoder frames, FrameContext context) {
        @Nullable ClusterTls secured = tls;
        if (secured == null) {
            channel.config().setRecvByteBufAllocator(frames.receiver());
        } else {
            secured.secure(channel, frames, context);
        }
    }

    /** Direct memory that buffers of connections hold now. */
    synchronized long buffersInUseBytes() {
        return running == null ? 0 : running.buffers().pinnedDirectMemory();
    }

    /** Closes every connection, so that what waits fails, and joins the event loops. Idempotent. */
    @Override
    public void close() {
        @Nullable Running parts;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            parts = running;
        }
        if (parts != null) {
            List.copyOf(parts.peers().open()).forEach(PeerChannel::close);
            Transport.stop(parts.loops());
        }
    }
}
