package io.barnabas.time;

import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still until a test moves it. Safe from any thread. */
public final class ManualClock implements Clock {
    private final AtomicLong wallMs;
    private final AtomicLong nanos = new AtomicLong(1);

    public ManualClock(long wallMs) {
        this.wallMs = new AtomicLong(wallMs);
    }

    public ManualClock() {
        this(1_700_000_000_000L);
    }

    @Override
    public long wallMillis() {
        return wallMs.get();
    }

    @Override
    public long nanoTime() {
        return nanos.get();
    }

    /** Moves both the wall clock and the monotonic one. Tasks of a {@link ManualTicker} are run by its own {@code advance}. */
    public void advance(long ms) {
        wallMs.addAndGet(ms);
        nanos.addAndGet(ms * 1_000_000L);
    }

    /** The wall clock steps, the monotonic one does not. */
    public void stepWall(long ms) {
        wallMs.addAndGet(ms);
    }
}
