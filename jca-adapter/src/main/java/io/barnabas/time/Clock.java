package io.barnabas.time;

/** Where a core learns the time, so that tests and simulations can set it. Safe to call from any thread. */
public interface Clock {
    /** Wall-clock time in milliseconds since the epoch: for record timestamps and retention, never for time-outs. */
    long wallMillis();

    /** Monotonic time in nanoseconds from an arbitrary origin: for time-outs and latencies. */
    long nanoTime();

    /** The machine's own wall clock, right or wrong: for telling others. */
    default long machineMillis() {
        return wallMillis();
    }

    /** Whether the wall clock is known to be about right, as far as that can be known; before it is, nothing is too old to be kept. */
    default boolean settled() {
        return true;
    }

    /** This is one of several brokers: until they have agreed the wall clock is not {@link #settled}. */
    default void unsettle() {
        // for a clock that learns from others
    }

    /** This is the time that most of the brokers have. */
    default void agree(long clusterMs) {
        // for a clock that learns from others
    }

    /** Monotonic time in milliseconds from an arbitrary origin. */
    default long monotonicMillis() {
        return nanoTime() / 1_000_000L;
    }
}
