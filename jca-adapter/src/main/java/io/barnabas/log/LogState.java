package io.barnabas.log;

/**
 * What changes in a log. Written under the log's lock (the offsets of the high watermark and the settings by their own callers); the
 * volatile fields are read by any thread.
 */
final class LogState {
    final LeaderEpochs epochs;
    final ProducerStates producers;
    volatile LogConfig config;
    volatile LogView view;
    volatile long logStartOffset;
    /** Everything below is forced, and the indexes of segments that end below are complete. */
    volatile long recoveryPoint;

    volatile long highWatermark;
    /** How often records were taken off the end: what was computed under another count is void. */
    volatile int truncations;

    LogState(LogConfig config, SegmentedLog.Loaded loaded) {
        this.config = config;
        this.view = loaded.view();
        this.logStartOffset = loaded.logStartOffset();
        this.recoveryPoint = loaded.recoveryPoint();
        this.highWatermark = loaded.logStartOffset();
        this.epochs = loaded.epochs();
        this.producers = loaded.producers();
    }
}
