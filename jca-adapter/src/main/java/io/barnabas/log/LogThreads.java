package io.barnabas.log;

import java.util.List;

/**
 * The threads that touch files beside the callers' own. They belong to the log and are never interrupted: an interrupt would close the
 * channel a thread is using.
 */
public interface LogThreads extends AutoCloseable {
    /** Runs one after the other, per data directory: its forces. */
    java.util.concurrent.Executor forcer(java.nio.file.Path directory);

    /** Retention, deletion, checkpoints, moves. */
    java.util.concurrent.Executor worker();

    /** Compaction. */
    java.util.concurrent.Executor cleaner();

    /** Looks for damage. */
    java.util.concurrent.Executor checker();

    /** Compaction may use so many threads from now on. */
    void cleaners(int threads);

    /** Keeps the calling thread from going on for so long, or until {@link #close}. */
    void rest(long ms);

    /** Runs all tasks, at most so many at a time, and returns when they are done. */
    void runAll(List<Runnable> tasks, int threads);

    /** Waits for what runs; starts nothing more. */
    @Override
    void close();
}
