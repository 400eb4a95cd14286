package io.barnabas.net;

import io.barnabas.port.ClusterKey;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.ListenerSettings.Listener;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.time.Clock;
import io.barnabas.wire.ResponseEncoder;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listening sockets and the event loops that serve their connections. The resource adapter starts it when the broker is ready
 * and stops it first of all. {@link #start} and {@link #stop} are called from one thread, once each; the rest is safe from any.
 */
public final class SocketServer {
    private static final Logger LOG = LoggerFactory.getLogger(SocketServer.class);

    private final SocketContext sockets;
    private final PooledByteBufAllocator buffers;
    private final Transport transport = Transport.best();
    private final EventLoopGroup acceptors;
    private final EventLoopGroup loops;
    private final Map<String, Channel> listening = new LinkedHashMap<>(); // guarded by itself
    private @Nullable ClusterTls tls; // of the thread that starts it
    private final Set<ConnectionHandler> connections = ConcurrentHashMap.newKeySet();

    public SocketServer(RequestDispatcher dispatcher, Clock clock) {
        this(dispatcher, clock, SocketBounds.defaults());
    }

    public SocketServer(RequestDispatcher dispatcher, Clock clock, SocketBounds bounds) {
        ListenerSettings settings = dispatcher.listeners();
        this.buffers = Transport.buffers(settings.eventLoopThreads());
        this.sockets = new SocketContext(
                settings,
                bounds,
                dispatcher,
                new FrameContext(
                        settings.socketRequestMaxBytes(),
                        clock,
                        new FrameBudget(queuedMaxBytes(settings)),
                        new LogLimit(clock)),
                new ResponseEncoder(buffers),
                new ConnectionLimits(
                        () -> dispatcher.listeners().maxConnections(),
                        () -> dispatcher.listeners().maxConnectionsPerIp()),
                new AtomicLong());
        this.acceptors = transport.eventLoops(1, "barnabas-accept");
        this.loops = transport.eventLoops(settings.eventLoopThreads(), "barnabas-net");
    }

    private static long queuedMaxBytes(ListenerSettings settings) {
        return settings.queuedMaxBytes() > 0
                ? settings.queuedMaxBytes()
                : Math.max(settings.socketRequestMaxBytes(), PlatformDependent.maxDirectMemory() / 4);
    }

    /** Only nodes with the cluster's key are let in on its listeners. Before the start. @throws IOException if it cannot be used */
    public void secure(ClusterKey key) throws IOException {
        tls = ClusterTls.accepting(key);
    }

    /**
     * Opens every listener, or none.
     *
     * @throws IOException if an address cannot be bound; the message names the listener and the address
     */
    public void start() throws IOException {
        for (Listener listener : sockets.settings().listeners()) {
            Channel channel = bind(listener);
            synchronized (listening) {
                listening.put(listener.name(), channel);
            }
            LOG.info("listening; listener={} address={}", listener.name(), channel.localAddress());
        }
        FastThreadLocal.removeAll(); // of the thread that starts us, which is the container's
    }

    private Channel bind(Listener listener) throws IOException {
        if (listener.ofCluster() && tls == null) {
            throw new IOException("listener " + listener.name() + " is for nodes with a key, and there is none");
        }
        InetSocketAddress address = listener.host().isEmpty()
                ? new InetSocketAddress(listener.port())
                : new InetSocketAddress(listener.host(), listener.port());
        ChannelFuture bound = bootstrap(listener).bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "listener " + listener.name() + " cannot be bound to " + listener.host() + ":" + listener.port()
                            + ": " + bound.cause().getMessage(),
                    bound.cause());
        }
        return bound.channel();
    }

    private ServerBootstrap bootstrap(Listener listener) {
        ListenerSettings settings = sockets.settings();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(acceptors, loops)
                .channel(transport.listenerClass())
                .option(ChannelOption.SO_BACKLOG, settings.backlog())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOCATOR, buffers)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.MESSAGE_SIZE_ESTIMATOR, new AnswerSizes())
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(
                                sockets.bounds().writeLowBytes(),
                                sockets.bounds().writeHighBytes()))
                .childHandler(new ConnectionInitializer(
                        listener.name(), sockets, listener.ofCluster() ? tls : null, connections));
        if (settings.socketReceiveBufferBytes()
                > 0) { // before the bind, so that connections inherit the window's scale
            bootstrap.option(ChannelOption.SO_RCVBUF, settings.socketReceiveBufferBytes());
        }
        if (settings.socketSendBufferBytes() > 0) {
            bootstrap.childOption(ChannelOption.SO_SNDBUF, settings.socketSendBufferBytes());
        }
        return bootstrap;
    }

    /** The port a listener is bound to; -1 if it is not open. */
    public int boundPort(String listenerName) {
        synchronized (listening) {
            Channel channel = listening.get(listenerName);
            return channel == null ? -1 : ((InetSocketAddress) channel.localAddress()).getPort();
        }
    }

    /** Clients that are connected now. */
    public int openConnections() {
        return sockets.limits().open();
    }

    /** Direct memory that buffers of connections hold now. */
    public long buffersInUseBytes() {
        return buffers.pinnedDirectMemory();
    }

    /** Accepts no more, lets what is in flight be answered within the bound, closes, and joins the event loops. */
    public void stop() {
        synchronized (listening) {
            listening.values().forEach(channel -> channel.close().awaitUninterruptibly());
            listening.clear();
        }
        connections.forEach(ConnectionHandler::finish);
        awaitClosed();
        connections.forEach(ConnectionHandler::close);
        Transport.stop(acceptors, loops);
    }

    private void awaitClosed() {
        long deadline = sockets.clock().monotonicMillis() + sockets.bounds().stopGraceMs();
        for (ConnectionHandler connection : connections) {
            long left = deadline - sockets.clock().monotonicMillis();
            if (left <= 0) {
                return;
            }
            connection.awaitClosed(left);
        }
    }
}
