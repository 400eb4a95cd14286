package io.barnabas.time;

/**
 * Runs tasks later. A task runs on the ticker's own thread and must be short: longer work is handed to an executor.
 * Safe to call from any thread.
 */
public interface Ticker {
    /**
     * Runs {@code task} once.
     *
     * @param delayMs milliseconds from now; zero and below mean as soon as possible
     * @return a handle that cancels it
     */
    Timeout after(long delayMs, Runnable task);

    /** A task that has been handed to a {@link Ticker}. */
    interface Timeout {
        /** Cancels the task if it has not started. Idempotent. */
        void cancel();
    }
}
