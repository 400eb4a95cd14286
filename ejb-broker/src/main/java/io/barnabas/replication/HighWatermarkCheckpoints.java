package io.barnabas.replication;

import io.barnabas.log.LogManager;
import io.barnabas.time.Ticker;
import java.util.concurrent.Executor;

/**
 * Has the high watermarks written from time to time: after a crash a replica shows at once what is below the last ones, before it has
 * heard of anybody. They are low by what was committed since, never high.
 *
 * <p>The ticker says when, a worker writes; one at a time.
 */
public final class HighWatermarkCheckpoints implements AutoCloseable {
    private final LogManager logs;
    private final long intervalMs;
    private final Ticker ticker;
    private final Executor workers;
    private volatile boolean closed;

    /**
     * Makes it; {@link #start} begins.
     *
     * @param intervalMs {@code replica.high.watermark.checkpoint.interval.ms}
     */
    public HighWatermarkCheckpoints(LogManager logs, long intervalMs, Ticker ticker, Executor workers) {
        this.logs = logs;
        this.intervalMs = Math.max(1, intervalMs);
        this.ticker = ticker;
        this.workers = workers;
    }

    /** Writes from now on. */
    public void start() {
        ticker.after(intervalMs, () -> workers.execute(this::write));
    }

    private void write() {
        if (!closed) {
            logs.checkpointHighWatermarks();
            start();
        }
    }

    /** Writes no more; the logs do so themselves when they are closed. */
    @Override
    public void close() {
        closed = true;
    }
}
