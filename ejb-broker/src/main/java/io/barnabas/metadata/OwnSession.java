package io.barnabas.metadata;

import io.barnabas.time.Clock;
import java.util.concurrent.TimeUnit;

/**
 * This broker's session at the controller, as far as it can be known here: it runs from when the last heartbeat that was answered was
 * sent, so it is over here no later than there. A controller that has lost its lead, which needs no network to answer itself, has half a
 * session left, as its successor gives it. Fed by {@link HeartbeatLoop}; asked by what this broker leads, which does nothing for longer
 * that needs others. Safe from any thread.
 */
final class OwnSession {
    private final Clock clock;
    private final long timeoutNanos;
    private boolean begun; // all guarded by this
    private long deadline;

    /** @param timeoutMs {@code broker.session.timeout.ms} */
    OwnSession(Clock clock, long timeoutMs) {
        this.clock = clock;
        this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    }

    /** The controller has answered what was sent then. */
    synchronized void onAnswered(long sentNanos) {
        begun = true;
        deadline = sentNanos + timeoutNanos;
    }

    /** This node is the controller no longer, and no other is known. */
    synchronized void onLeadLost() {
        long half = clock.nanoTime() + timeoutNanos / 2;
        deadline = half - deadline < 0 ? half : deadline;
    }

    /** Whether the controller has fenced this broker by now, or will. False before its first answer. */
    synchronized boolean isOver() {
        return begun && deadline - clock.nanoTime() <= 0;
    }
}
