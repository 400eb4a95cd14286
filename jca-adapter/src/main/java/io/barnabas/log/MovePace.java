package io.barnabas.log;

import io.barnabas.time.Clock;
import java.util.function.LongSupplier;

/**
 * How fast moves between data directories may go, all of them together ({@code replica.alter.log.dirs.io.max.bytes.per.second}): what was
 * copied is a debt that melts with time, and while there is one nobody begins a turn.
 *
 * <p>Safe from any thread.
 */
final class MovePace {
    /** After so long a rest the bound is asked for anew. */
    private static final long REST_MS_MAX = 1_000;

    private final Clock clock;
    private volatile LongSupplier bytesPerSecond = () -> Long.MAX_VALUE;
    private double debtBytes; // guarded by this
    private long asOfMs; // of the debt; guarded by this

    MovePace(Clock clock) {
        this.clock = clock;
        this.asOfMs = clock.monotonicMillis();
    }

    void bound(LongSupplier rate) {
        bytesPerSecond = rate;
    }

    boolean bounded() {
        return bytesPerSecond.getAsLong() < Long.MAX_VALUE;
    }

    /** How many pieces may be copied before the next rest. */
    int piecesATurn(int most) {
        return (int) Math.max(1, Math.min(most, bytesPerSecond.getAsLong() / LogMover.PIECE_BYTES));
    }

    synchronized void onCopied(long bytes) {
        restMs();
        debtBytes += bytes;
    }

    /** So long nothing is to be copied; then to be asked again. */
    synchronized long restMs() {
        long nowMs = clock.monotonicMillis();
        if (!bounded()) {
            debtBytes = 0;
            asOfMs = nowMs;
            return 0;
        }
        double perMs = Math.max(1, bytesPerSecond.getAsLong()) / 1e3;
        debtBytes = Math.max(0, debtBytes - perMs * (nowMs - asOfMs));
        asOfMs = nowMs;
        return (long) Math.min(REST_MS_MAX, Math.ceil(debtBytes / perMs));
    }
}
