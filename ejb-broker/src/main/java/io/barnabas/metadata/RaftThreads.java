package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.SystemClock;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.ratis.thirdparty.io.netty.util.concurrent.GlobalEventExecutor;
import org.apache.ratis.util.MemoizedSupplier;
import org.apache.ratis.util.TimeoutTimer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that no thread of Ratis outlives it: an application that is undeployed loses its class loader, so a thread that goes on for
 * a while would fail, and one that never ends would hold the class loader for ever.
 *
 * <p>Threads of one server's own end with it, some a little late. gRPC's and Netty's shared ones end about a second after the last
 * server has closed. Ratis's timers never end; they are made to. Called by {@link RatisMetadataLog} before a server starts and after it has closed.
 */
final class RaftThreads {
    private static final Logger LOG = LoggerFactory.getLogger(RaftThreads.class);
    /** Real waits, for real threads. */
    private static final Clock CLOCK = new SystemClock();

    private static final long END_MS = 5_000;
    private static final long JOIN_MS = 50;

    private static int servers; // guarded by the class

    private RaftThreads() {}

    /** A server is about to start. */
    static synchronized void begin() {
        servers++;
    }

    /** What was begun has closed, and another server starts at once: its end will wait for the threads of both. */
    static synchronized void handOver() {
        servers--;
    }

    /**
     * A server has closed: waits for its threads, and after the last one for all.
     *
     * @param member the name that the server's threads begin with; null if it had none of its own
     */
    static void end(@Nullable String member) {
        boolean last;
        synchronized (RaftThreads.class) {
            last = --servers == 0;
            if (last) {
                cancelTimers();
            }
        }
        long deadline = CLOCK.nanoTime() + TimeUnit.MILLISECONDS.toNanos(END_MS);
        try {
            if (member != null) {
                join(thread -> thread.getName().startsWith(member), false, deadline);
            }
            if (last) {
                join(RaftThreads::isShared, true, deadline);
                if (!inUse()) {
                    awaitGlobalExecutor();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isShared(Thread thread) {
        return (thread.getName().startsWith("grpc-") || thread.getName().startsWith("timer"))
                && thread.getContextClassLoader() == RaftThreads.class.getClassLoader();
    }

    /** Waits for threads; no longer for shared ones when a new server has begun to use them. */
    private static void join(Predicate<Thread> which, boolean shared, long deadline) throws InterruptedException {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (!which.test(thread) || thread == Thread.currentThread()) {
                continue;
            }
            if (thread.getName().endsWith("FollowerState")) {
                // One that began while its server closed, as when another leader was heard of, would go on for ever.
                thread.interrupt();
            }
            while (thread.isAlive() && CLOCK.nanoTime() - deadline < 0 && !(shared && inUse())) {
                thread.join(JOIN_MS);
            }
            if (thread.isAlive() && !(shared && inUse())) {
                LOG.warn("A thread of the metadata log did not end; thread={}", thread.getName());
            }
        }
    }

    private static synchronized boolean inUse() {
        return servers > 0;
    }

    /** Completes the futures of event loops' endings, on a thread that ends by itself when it has nothing more to do. */
    private static void awaitGlobalExecutor() throws InterruptedException {
        try {
            GlobalEventExecutor.INSTANCE.awaitInactivity(END_MS, TimeUnit.MILLISECONDS);
        } catch (IllegalStateException e) {
            LOG.trace("The global executor was never started", e);
        }
    }

    /** Ratis has no way to end them, nor to make new ones, which the next server in this class loader needs. */
    private static void cancelTimers() {
        try {
            Field timers = TimeoutTimer.class.getDeclaredField("timers");
            timers.setAccessible(true);
            TimeoutTimer instance = TimeoutTimer.getInstance();
            List<MemoizedSupplier<Timer>> fresh = new ArrayList<>();
            for (Object each : (List<?>) timers.get(instance)) {
                String name = "timer" + fresh.size();
                fresh.add(MemoizedSupplier.valueOf(() -> new Timer(name, true)));
                if (((MemoizedSupplier<?>) each).isInitialized()) {
                    ((Timer) ((MemoizedSupplier<?>) each).get()).cancel();
                }
            }
            timers.set(instance, fresh);
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOG.warn("The timers of the metadata log were not ended", e);
        }
    }
}
