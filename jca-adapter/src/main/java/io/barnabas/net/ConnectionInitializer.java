package io.barnabas.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Admits a connection and builds its pipeline. After the listening socket, before the {@link FrameDecoder}; on the event loop. */
final class ConnectionInitializer extends ChannelInitializer<Channel> {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionInitializer.class);

    private final String listenerName;
    private final SocketContext sockets;
    private final @Nullable ClusterTls tls;
    private final Set<ConnectionHandler> connections;

    /** @param tls null of a listener that is for clients */
    ConnectionInitializer(
            String listenerName, SocketContext sockets, @Nullable ClusterTls tls, Set<ConnectionHandler> connections) {
        this.listenerName = listenerName;
        this.sockets = sockets;
        this.tls = tls;
        this.connections = connections;
    }

    @Override
    protected void initChannel(Channel channel) {
        if (!(channel.remoteAddress() instanceof InetSocketAddress remote) || channel.localAddress() == null) {
            channel.unsafe().closeForcibly(); // the client is gone already
            return;
        }
        if (!admit(remote.getAddress())) {
            channel.unsafe().closeForcibly();
            return;
        }
        FrameDecoder frames = new FrameDecoder(sockets.frames());
        ConnectionHandler connection = new ConnectionHandler(listenerName, channel, sockets, frames);
        connections.add(connection);
        channel.closeFuture().addListener(closed -> {
            connections.remove(connection);
            sockets.limits().release(remote.getAddress());
        });
        channel.pipeline()
                .addLast("frames", frames)
                .addLast("deadlines", new ConnectionDeadlines(sockets, frames, connection))
                .addLast("connection", connection);
        if (tls == null) {
            channel.config().setRecvByteBufAllocator(frames.receiver());
        } else {
            tls.secure(channel, frames, sockets.frames());
        }
    }

    private boolean admit(InetAddress remote) {
        if (sockets.limits().admit(remote)) {
            return true;
        }
        if (sockets.logLimit().allows()) {
            LOG.warn(
                    "connection refused: max.connections or max.connections.per.ip reached; remote={} listener={}",
                    remote,
                    listenerName);
        }
        return false;
    }
}
