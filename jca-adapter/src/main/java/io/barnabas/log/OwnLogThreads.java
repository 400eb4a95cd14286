package io.barnabas.log;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Production's threads: one forcer a data directory, one worker, one that checks, as many cleaners as are set; they end when idle. */
public final class OwnLogThreads implements LogThreads {
    private static final Logger LOG = LoggerFactory.getLogger(OwnLogThreads.class);
    private static final long IDLE_SECONDS = 30;
    private final Map<Path, ThreadPoolExecutor> forcers = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor worker = pool("worker", 1);
    private final ThreadPoolExecutor checker = pool("check", 1);
    private final ThreadPoolExecutor cleaner;
    private final CountDownLatch closing = new CountDownLatch(1);

    public OwnLogThreads(int cleaners) {
        this.cleaner = pool("cleaner", Math.max(1, cleaners));
    }

    @Override
    public Executor forcer(Path directory) {
        return forcers.computeIfAbsent(directory, path -> pool("force", 1));
    }

    @Override
    public Executor worker() {
        return worker;
    }

    @Override
    public Executor cleaner() {
        return cleaner;
    }

    @Override
    public Executor checker() {
        return checker;
    }

    @Override
    public void cleaners(int threads) {
        int wanted = Math.max(1, threads);
        if (wanted > cleaner.getMaximumPoolSize()) {
            cleaner.setMaximumPoolSize(wanted);
            cleaner.setCorePoolSize(wanted);
        } else {
            cleaner.setCorePoolSize(wanted);
            cleaner.setMaximumPoolSize(wanted);
        }
    }

    @Override
    public void rest(long ms) {
        try {
            boolean closes = closing.await(ms, TimeUnit.MILLISECONDS);
            LOG.trace("Rested: closes={}", closes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void runAll(List<Runnable> tasks, int threads) {
        Queue<Runnable> waiting = new ConcurrentLinkedQueue<>(tasks);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Runnable drain = () -> {
            for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
                try {
                    task.run();
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                }
            }
        };
        List<Thread> helpers = new ArrayList<>();
        for (int i = 1; i < Math.min(threads, tasks.size()); i++) {
            Thread helper = new Thread(drain, "barnabas-log-recovery-" + i);
            helper.setDaemon(true);
            helper.start();
            helpers.add(helper);
        }
        drain.run();
        helpers.forEach(OwnLogThreads::await);
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new IllegalStateException("A task of the log's start or end failed", thrown);
        }
    }

    private static void await(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true; // the caller's wish is kept for after the recovery
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        List<ThreadPoolExecutor> all = new ArrayList<>(forcers.values());
        all.add(worker);
        all.add(cleaner);
        all.add(checker);
        all.forEach(ThreadPoolExecutor::shutdown); // not shutdownNow: that interrupts
        boolean interrupted = false;
        for (ThreadPoolExecutor each : all) {
            try {
                each.awaitTermination(IDLE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static ThreadPoolExecutor pool(String name, int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "barnabas-log-" + name + "-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }
}
