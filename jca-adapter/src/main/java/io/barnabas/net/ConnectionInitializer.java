package io.barnabas.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Admits a connection and builds its pipeline. After the listening socket, before the {@link FrameDecoder}; on the event loop. */
final class ConnectionInitializer extends ChannelInitializer<Channel> {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionInitializer.class);

    private final String listenerName;
    private final SocketContext sockets;
    private final Set<ConnectionHandler> connections;

    ConnectionInitializer(String listenerName, SocketContext sockets, Set<ConnectionHandler> connections) {
        this.listenerName = listenerName;
        this.sockets = sockets;
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
        channel.config().setRecvByteBufAllocator(frames.receiver());
        connections.add(connection);
        channel.closeFuture().addListener(closed -> {
            connections.remove(connection);
            sockets.limits().release(remote.getAddress());
        });
        channel.pipeline()
                .addLast("frames", frames)
                .addLast("deadlines", new ConnectionDeadlines(sockets, frames, connection))
                .addLast("connection", connection);
    }

    private boolean admit(InetAddress remote) {
        if (sockets.limits().admit(remote)) {
            sockets.counters().accepted.increment();
            return true;
        }
        sockets.counters().refused.increment();
        if (sockets.logLimit().allows()) {
            LOG.warn(
                    "connection refused: max.connections or max.connections.per.ip reached; remote={} listener={}",
                    remote,
                    listenerName);
        }
        return false;
    }
}
