package io.barnabas.metadata;

import io.barnabas.time.Clock;
import java.util.concurrent.TimeUnit;

/**
 * When the operator is to be told that this broker does not know the time, and so deletes nothing by its age: after a minute, then now and
 * then. Used by {@link HeartbeatLoop}; safe from any thread.
 */
final class UnsettledTime {
    static final long FIRST_MS = TimeUnit.MINUTES.toMillis(1);
    static final long AGAIN_MS = TimeUnit.MINUTES.toMillis(10);

    private final Clock clock;
    private long tellAtMs; // guarded by this

    UnsettledTime(Clock clock) {
        this.clock = clock;
        this.tellAtMs = clock.monotonicMillis() + FIRST_MS;
    }

    /** Whether it is to be told now. */
    synchronized boolean isDue() {
        long now = clock.monotonicMillis();
        if (clock.settled() || now - tellAtMs < 0) {
            return false;
        }
        tellAtMs = now + AGAIN_MS;
        return true;
    }
}
