package io.barnabas.time;

/** Where a core learns the time, so that tests and simulations can set it. Safe to call from any thread. */
public interface Clock {
    /** Wall-clock time in milliseconds since the epoch: for record timestamps and retention, never for time-outs. */
    long wallMillis();

    /** Monotonic time in nanoseconds from an arbitrary origin: for time-outs and latencies. */
    long nanoTime();

    /** Monotonic time in milliseconds from an arbitrary origin. */
    default long monotonicMillis() {
        return nanoTime() / 1_000_000L;
    }
}
