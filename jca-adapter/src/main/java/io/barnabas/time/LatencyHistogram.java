package io.barnabas.time;

import java.util.concurrent.atomic.LongAdder;

/**
 * Latencies in buckets whose width is a quarter of their power of two: a recording costs one uncontended add and no allocation,
 * a read is within 25 %. Safe from any thread.
 */
public final class LatencyHistogram {
    private static final int SUB_BUCKETS = 4;
    private static final int LOWEST_BITS = 10; // below 1 µs is one bucket
    private static final int HIGHEST_BITS = 37; // above 137 s is one bucket
    private static final int BUCKETS = (HIGHEST_BITS - LOWEST_BITS) * SUB_BUCKETS + 1;

    private final LongAdder[] buckets = new LongAdder[BUCKETS];
    private final LongAdder totalNanos = new LongAdder();

    public LatencyHistogram() {
        for (int i = 0; i < BUCKETS; i++) {
            buckets[i] = new LongAdder();
        }
    }

    /** Counts one latency. */
    public void record(long nanos) {
        buckets[bucket(nanos)].increment();
        totalNanos.add(nanos);
    }

    /** Counts of the buckets, to be read with {@link #upperBoundNanos}. */
    public long[] counts() {
        long[] counts = new long[BUCKETS];
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] = buckets[i].sum();
        }
        return counts;
    }

    public long totalNanos() {
        return totalNanos.sum();
    }

    /**
     * The latency that the given share of all recordings does not exceed.
     *
     * @param quantile between 0 and 1
     * @return nanoseconds, the upper bound of the bucket; 0 if nothing was recorded
     */
    public long quantileNanos(double quantile) {
        long[] counts = counts();
        long total = 0;
        for (long count : counts) {
            total += count;
        }
        long wanted = (long) Math.ceil(total * quantile);
        long seen = 0;
        for (int i = 0; i < BUCKETS; i++) {
            seen += counts[i];
            if (seen >= wanted && seen > 0) {
                return upperBoundNanos(i);
            }
        }
        return 0;
    }

    /** Upper bound of a bucket in nanoseconds, exclusive; Long.MAX_VALUE for the last. */
    public static long upperBoundNanos(int bucket) {
        if (bucket == BUCKETS - 1) {
            return Long.MAX_VALUE;
        }
        int bits = LOWEST_BITS + bucket / SUB_BUCKETS;
        long quarter = (1L << bits) / SUB_BUCKETS;
        return (1L << bits) + quarter * (bucket % SUB_BUCKETS + 1);
    }

    private static int bucket(long nanos) {
        if (nanos < 1L << LOWEST_BITS) {
            return 0;
        }
        int bits = 63 - Long.numberOfLeadingZeros(nanos);
        if (bits >= HIGHEST_BITS) {
            return BUCKETS - 1;
        }
        int sub = (int) (nanos >>> (bits - 2)) & (SUB_BUCKETS - 1);
        return (bits - LOWEST_BITS) * SUB_BUCKETS + sub;
    }
}
