package io.barnabas.system.cluster;

import java.time.Duration;
import java.util.Arrays;

/** When records were acknowledged, by the monotonic clock. Safe from any thread. */
final class AcknowledgementTimes {
    private long[] times = new long[1 << 12];
    private int count;

    synchronized void add(long nanos) {
        if (count == times.length) {
            times = Arrays.copyOf(times, 2 * count);
        }
        times[count++] = nanos;
    }

    synchronized int count() {
        return count;
    }

    /** How long ago the longest time without an acknowledgement ended; see {@link #longestGapSince}. */
    synchronized Duration sinceLongestGap(int from) {
        long longest = 0;
        long end = System.nanoTime();
        for (int i = Math.max(1, from); i < count; i++) {
            if (times[i] - times[i - 1] > longest) {
                longest = times[i] - times[i - 1];
                end = times[i];
            }
        }
        return Duration.ofNanos(System.nanoTime() - end);
    }

    /**
     * The longest time without an acknowledgement.
     *
     * @param from the number of acknowledgements at the beginning of the time looked at
     */
    synchronized Duration longestGapSince(int from) {
        long longest = 0;
        for (int i = Math.max(1, from); i < count; i++) {
            longest = Math.max(longest, times[i] - times[i - 1]);
        }
        return Duration.ofNanos(longest);
    }
}
