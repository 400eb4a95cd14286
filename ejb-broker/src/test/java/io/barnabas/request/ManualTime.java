package io.barnabas.request;

import io.barnabas.time.Clock;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import io.barnabas.time.Ticker;

/** Clock and ticker in one, that stand until told to move; due tasks run on the thread that moves them. */
public final class ManualTime implements Ticker, Clock {
    private final ManualClock clock = new ManualClock(0);
    private final ManualTicker ticker = new ManualTicker(clock);

    @Override
    public Timeout after(long delayMs, Runnable run) {
        return ticker.after(delayMs, run);
    }

    /** Moves time and runs what is due, in order. */
    public void advance(long ms) {
        ticker.advance(ms);
    }

    /** Tasks that wait. */
    public int waiting() {
        return ticker.pending();
    }

    @Override
    public long wallMillis() {
        return clock.wallMillis();
    }

    @Override
    public long nanoTime() {
        return clock.nanoTime();
    }
}
