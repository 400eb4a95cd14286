package io.barnabas.ra;

import io.barnabas.time.Ticker;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The port's ticker: one thread and a heap of timers; a cancelled timer is removed at once. */
final class TickerThread implements Ticker {
    private static final Logger LOG = LoggerFactory.getLogger(TickerThread.class);
    private static final Timeout NEVER = () -> {};

    private final ScheduledThreadPoolExecutor timers;

    TickerThread() {
        timers = new ScheduledThreadPoolExecutor(1, PortThreads.named("barnabas-ticker"));
        timers.setRemoveOnCancelPolicy(true);
        timers.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    @Override
    public Timeout after(long delayMs, Runnable task) {
        try {
            Future<?> timer = timers.schedule(() -> run(task), Math.max(0, delayMs), TimeUnit.MILLISECONDS);
            return () -> timer.cancel(false);
        } catch (RejectedExecutionException e) {
            return NEVER; // closed: nothing is due any more
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            LOG.error("a timer's task failed", e);
        }
    }

    /** Drops what is not due and joins the thread. */
    void close() {
        timers.shutdown();
        PortThreads.join(timers);
    }
}
