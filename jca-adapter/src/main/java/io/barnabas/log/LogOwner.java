package io.barnabas.log;

import java.io.IOException;

/** What a log asks of the manager that opened it. */
interface LogOwner {
    /** Writes the directory's recovery points and log start offsets now. */
    void checkpoint(DiskDirectory directory);

    /** Runs {@code task} on a worker after a while. */
    void later(long delayMs, Runnable task);

    /** Some of the log's records are damaged, as {@code what} says. Never waits. */
    void damaged(SegmentedLog log, String what);

    /** The same, as met by who read them. */
    default void damaged(SegmentedLog log, IOException met) {
        damaged(log, String.valueOf(met.getMessage()));
    }

    /** The log lost everything from {@code offset} on. */
    void truncated(SegmentedLog log, long offset);
}
