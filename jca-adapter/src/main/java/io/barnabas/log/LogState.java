package io.barnabas.log;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/**
 * What changes in a log. Written under the log's lock (the offsets of the high watermark and the settings by their own callers); the
 * volatile fields are read by any thread.
 */
final class LogState {
    private static final AtomicLongFieldUpdater<LogState> HIGH_WATERMARK =
            AtomicLongFieldUpdater.newUpdater(LogState.class, "highWatermark");

    final LeaderEpochs epochs;
    final ProducerStates producers;
    volatile LogConfig config;
    volatile LogView view;
    volatile long logStartOffset;
    /** All batches below are forced. */
    volatile long recoveryPoint;

    /** Segments that end at or below have forced indexes too. */
    volatile long indexedBelow;

    /** The recovery point in the checkpoint file: only what lies below may be compacted (see LogRecovery, "gap"). */
    volatile long checkpointedPoint;

    /** The log start offset in the checkpoint file: what DeleteRecords promised. */
    volatile long checkpointedStart;

    /** Raised by any thread, lowered by truncations under the log's lock. */
    volatile long highWatermark;

    /** A cut at this offset is under way: no checkpoint may say more. */
    volatile long cuttingAt = Long.MAX_VALUE;

    final long checkedFrom;

    /** How often records were taken off the end: what was computed under another count is void. */
    private volatile int truncations;

    LogState(LogConfig config, SegmentedLog.Loaded loaded) {
        this.config = config;
        this.view = loaded.view();
        this.logStartOffset = loaded.logStartOffset();
        this.recoveryPoint = loaded.recoveryPoint();
        this.indexedBelow = view.segments()[view.floor(recoveryPoint)].baseOffset();
        this.checkpointedPoint = recoveryPoint;
        this.highWatermark = loaded.logStartOffset();
        this.epochs = loaded.epochs();
        this.producers = loaded.producers();
        this.checkedFrom = loaded.findings().checkedFrom();
    }

    /** Who tells of a lower one comes late. */
    void raiseHighWatermark(long offset) {
        HIGH_WATERMARK.accumulateAndGet(this, offset, Math::max);
    }

    int truncations() {
        return truncations;
    }

    /** Under the log's lock. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer at a time
    void onTruncation() {
        truncations++;
    }

    /**
     * What the checkpoint may say. Recovery reads every segment that ends behind it, to make its indexes anew; so for a segment that is
     * forced to its end but for its indexes it must lie before that end.
     */
    long recoveryPointToWrite() {
        long point = recoveryPoint;
        return Math.min(cuttingAt, point <= indexedBelow ? point : point - 1);
    }

    long logStartToWrite() {
        return Math.min(cuttingAt, logStartOffset);
    }
}
