package io.barnabas.ra;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The resource adapter's own threads: daemons, named, with this archive's class loader, and never interrupted, because an
 * interrupted thread closes the file channel it works on.
 */
final class PortThreads {
    private static final Logger LOG = LoggerFactory.getLogger(PortThreads.class);
    private static final int JOIN_SECONDS = 30;

    private PortThreads() {}

    static ThreadFactory named(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(null, task, name + "-" + count.getAndIncrement(), 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(PortThreads.class.getClassLoader());
            return thread;
        };
    }

    /** A fixed pool; what waits in its queue is bounded by the requests in flight that asked for it. */
    static ExecutorService workers(int threads) {
        return new ThreadPoolExecutor(
                threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), named("barnabas-worker"));
    }

    /** A fixed pool that rejects a task when {@code waitingMax} wait already. */
    static ExecutorService scans(int threads, int waitingMax) {
        return new ThreadPoolExecutor(
                threads, threads, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waitingMax), named("barnabas-scan"));
    }

    /** One thread, for names of hosts, that ends when it has nothing to do; a task is rejected when {@code waitingMax} wait already. */
    static ExecutorService lookups(int waitingMax) {
        ThreadPoolExecutor lookups = new ThreadPoolExecutor(
                1, 1, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(waitingMax), named("barnabas-lookup"));
        lookups.allowCoreThreadTimeOut(true);
        return lookups;
    }

    /** Waits for the end of a pool that has been shut down, through interrupts. */
    static void join(ExecutorService pool) {
        boolean interrupted = false;
        boolean ended = false;
        for (int waited = 0; !ended && waited < JOIN_SECONDS; waited++) {
            try {
                ended = pool.awaitTermination(1, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (!ended) {
            LOG.error("threads did not end; seconds={}", JOIN_SECONDS);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
