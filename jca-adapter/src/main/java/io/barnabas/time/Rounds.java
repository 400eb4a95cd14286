package io.barnabas.time;

import java.util.concurrent.Executor;

/** Has a worker do something again and again, one at a time and with a rest before each, also after one that failed. Safe from any thread. */
public final class Rounds implements AutoCloseable {
    private final Ticker ticker;
    private final Executor workers;
    private final long restMs;
    private final Runnable round;
    private volatile boolean closed;

    /** {@link #start} begins. */
    public Rounds(Ticker ticker, Executor workers, long restMs, Runnable round) {
        this.ticker = ticker;
        this.workers = workers;
        this.restMs = restMs;
        this.round = round;
    }

    /** The first comes after a rest. Either this or {@link #startNow} is called, once. */
    public void start() {
        ticker.after(restMs, this::submit);
    }

    /** The first comes at once. */
    public void startNow() {
        submit();
    }

    private void submit() {
        if (!closed) {
            workers.execute(this::go);
        }
    }

    private void go() {
        if (closed) {
            return;
        }
        try {
            round.run();
        } finally {
            start();
        }
    }

    /** No other begins. */
    @Override
    public void close() {
        closed = true;
    }
}
