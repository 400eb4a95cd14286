package io.barnabas.net;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.FastThreadLocalThread;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How sockets are driven: native epoll where it is available, NIO elsewhere. */
enum Transport {
    EPOLL(EpollServerSocketChannel.class, EpollSocketChannel.class) {
        @Override
        IoHandlerFactory handlers() {
            return EpollIoHandler.newFactory();
        }
    },
    NIO(NioServerSocketChannel.class, NioSocketChannel.class) {
        @Override
        IoHandlerFactory handlers() {
            return NioIoHandler.newFactory();
        }
    };

    private static final Logger LOG = LoggerFactory.getLogger(Transport.class);
    private static final List<String> OF_FINALISERS = List.of(
            "io.netty.buffer.FreeChunkEvent",
            "io.netty.util.concurrent.ConcurrentSkipListIntObjMultimap$EntryIterator");

    private final Class<? extends ServerChannel> listenerClass;
    private final Class<? extends Channel> clientClass;

    Transport(Class<? extends ServerChannel> listenerClass, Class<? extends Channel> clientClass) {
        this.listenerClass = listenerClass;
        this.clientClass = clientClass;
    }

    static Transport best() {
        return Epoll.isAvailable() ? EPOLL : NIO;
    }

    abstract IoHandlerFactory handlers();

    Class<? extends ServerChannel> listenerClass() {
        return listenerClass;
    }

    Class<? extends Channel> clientClass() {
        return clientClass;
    }

    EventLoopGroup eventLoops(int threads, String name) {
        return new MultiThreadIoEventLoopGroup(threads, threads(name), handlers());
    }

    /** Daemon threads that keep no application's class loader alive. */
    private static ThreadFactory threads(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new FastThreadLocalThread(null, task, name + "-" + count.getAndIncrement());
            thread.setDaemon(true);
            thread.setContextClassLoader(Transport.class.getClassLoader());
            return thread;
        };
    }

    /** Direct arenas, one for each event loop; no caches on threads that are not ours, so that nothing stays behind with them. */
    static PooledByteBufAllocator buffers(int eventLoops) {
        int pageBytes = PooledByteBufAllocator.defaultPageSize();
        int maxOrder = PooledByteBufAllocator.defaultMaxOrder();
        return new PooledByteBufAllocator(
                true,
                0,
                eventLoops,
                pageBytes,
                maxOrder,
                PooledByteBufAllocator.defaultSmallCacheSize(),
                PooledByteBufAllocator.defaultNormalCacheSize(),
                false);
    }

    /** Ends event loops and joins their threads; nothing of Netty stays behind with the caller's, which is the container's. */
    static void stop(EventLoopGroup... groups) {
        for (EventLoopGroup group : groups) {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly(10, TimeUnit.SECONDS);
        }
        FastThreadLocal.removeAll();
        awaitQuiet();
        loadWhatFinalisersNeed();
    }

    /** Finalisers free the buffers' memory: without these classes they could not, once our class loader is closed. */
    private static void loadWhatFinalisersNeed() {
        for (String name : OF_FINALISERS) {
            try {
                Class.forName(name);
            } catch (ClassNotFoundException | LinkageError e) {
                LOG.debug("not loaded; class={}", name, e);
            }
        }
    }

    /** Netty's global executor completes the last futures on a thread that ends by itself when it has nothing to do. */
    private static void awaitQuiet() {
        try {
            GlobalEventExecutor.INSTANCE.awaitInactivity(3, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException e) {
            LOG.trace("the global executor was never started", e);
        }
    }
}
