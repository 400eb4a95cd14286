package io.barnabas.log;

import io.barnabas.time.Clock;
import java.util.function.DoubleSupplier;

/**
 * How fast cleaners may go: after some bytes they rest until {@code log.cleaner.io.max.bytes.per.second} is kept, and they end when the
 * compactor stops. Bytes read count, those of the search for keys too, and bytes written, as Kafka counts them; one bound for all cleaners.
 *
 * <p>Any thread; a cleaner that rests makes the others rest too, before they tell of what they have done.
 */
final class CleanerPace {
    /** Over so long the bound is kept: shorter, and every chunk would make a rest. */
    private static final long INTERVAL_MS = 300;

    /** After so long a rest the bound is asked for anew: with a small one the whole rest may be days. */
    private static final long REST_MS_MAX = 1_000;

    private final Clock clock;
    private final LogThreads threads;
    private final DoubleSupplier bytesPerSecond;
    private volatile boolean stopped;
    private long beganMs; // guarded by this
    private long bytes; // since then; guarded by this

    CleanerPace(Clock clock, LogThreads threads, DoubleSupplier bytesPerSecond) {
        this.clock = clock;
        this.threads = threads;
        this.bytesPerSecond = bytesPerSecond;
        this.beganMs = clock.monotonicMillis();
    }

    boolean stopped() {
        return stopped;
    }

    void stop() {
        stopped = true;
    }

    /** Tells of bytes read or written; returns when more may be. */
    synchronized void spent(long more) {
        bytes += more;
        long tookMs = clock.monotonicMillis() - beganMs;
        if (tookMs > INTERVAL_MS || isFarAhead(tookMs)) {
            for (long restMs = restMs(tookMs); restMs > 0 && !stopped; restMs = restMs(tookMs)) {
                threads.rest(restMs);
                tookMs += restMs;
            }
            beganMs = clock.monotonicMillis();
            bytes = 0;
        }
    }

    /** A fast disk does more in an interval than the bound allows in several. */
    private boolean isFarAhead(long tookMs) {
        return shouldTakeMs() - tookMs > INTERVAL_MS;
    }

    private long restMs(long tookMs) {
        return Math.min(REST_MS_MAX, shouldTakeMs() - tookMs);
    }

    private long shouldTakeMs() {
        return Math.round(bytes / bytesPerSecond.getAsDouble() * 1000);
    }
}
