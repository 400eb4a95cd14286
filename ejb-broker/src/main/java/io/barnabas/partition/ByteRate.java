package io.barnabas.partition;

import io.barnabas.time.Clock;
import java.util.Arrays;

/**
 * Bytes a second over the last few windows of time, as Kafka's quotas measure: what lies further back than all windows does not count.
 * Safe from any thread.
 */
final class ByteRate {
    private final Clock clock;
    private final long windowMs;
    private final long[] bytes; // by window, a ring; guarded by this
    private long first; // number of the oldest window that counts; guarded by this
    private long last; // of the newest; guarded by this

    ByteRate(Clock clock, int windows, long windowMs) {
        this.clock = clock;
        this.windowMs = windowMs;
        this.bytes = new long[windows];
        this.last = number();
        this.first = last;
    }

    private long number() {
        return Math.floorDiv(clock.monotonicMillis(), windowMs);
    }

    /** Goes on to the present window. After a pause longer than all windows the measure begins anew. */
    private void advance() {
        long now = number();
        if (now - last >= bytes.length) {
            Arrays.fill(bytes, 0);
            first = now;
        } else {
            for (long window = last + 1; window <= now; window++) {
                bytes[slot(window)] = 0;
            }
            first = Math.max(first, now - bytes.length + 1);
        }
        last = now;
    }

    private int slot(long window) {
        return Math.floorMod(window, bytes.length);
    }

    synchronized void add(long more) {
        advance();
        bytes[slot(last)] += more;
    }

    synchronized double perSecond() {
        advance();
        long sum = 0;
        for (long each : bytes) {
            sum += each;
        }
        long elapsedMs = Math.max(windowMs, clock.monotonicMillis() - first * windowMs);
        return sum * 1e3 / elapsedMs;
    }
}
