package io.barnabas.time;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A ticker on one daemon thread of its own. */
public final class ThreadTicker implements Ticker, AutoCloseable {
    private final ScheduledThreadPoolExecutor executor;

    public ThreadTicker(String threadName) {
        executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, threadName);
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public Timeout after(long delayMs, Runnable task) {
        ScheduledFuture<?> future = executor.schedule(task, delayMs, TimeUnit.MILLISECONDS);
        return () -> future.cancel(false);
    }

    /** Forgets what has not started; what runs is left to end. */
    @Override
    public void close() {
        executor.shutdown();
    }
}
