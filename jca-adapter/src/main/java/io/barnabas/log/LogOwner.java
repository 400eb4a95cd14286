package io.barnabas.log;

/** What a log asks of the manager that opened it. */
interface LogOwner {
    /** Writes the directory's recovery points and log start offsets now. */
    void checkpoint(DiskDirectory directory);

    /** Runs {@code task} on a worker after a while. */
    void later(long delayMs, Runnable task);

    /** The log lost everything from {@code offset} on. */
    void truncated(SegmentedLog log, long offset);
}
