package io.barnabas.log;

import java.io.IOException;

/**
 * Takes records off a log's end, for a replica that follows another leader, or begins it anew elsewhere.
 *
 * <p>Checkpoints that say more than the log will hold are written first: a recovery point above the cut would let recovery skip what is
 * written there later, a cleaner's point would let the cleaner. If that fails, for want of room say, nothing was cut; a checkpoint that
 * says less than it might costs work only.
 *
 * <p>Thread: the caller's, under the log's flush lock and lock, so that no append and no force comes in between.
 */
final class LogTruncation {
    private final SegmentedLog log;
    private final SegmentedLog.LogParts parts;
    private final LogState state;
    private final SegmentStore segments;

    LogTruncation(SegmentedLog log, SegmentedLog.LogParts parts, LogState state, SegmentStore segments) {
        this.log = log;
        this.parts = parts;
        this.state = state;
        this.segments = segments;
    }

    /** Ends the log at {@code offset}, or before the batch that holds it. */
    void truncateTo(long offset) throws IOException {
        if (offset >= state.view.endOffset()) {
            state.epochs.truncateFromEnd(offset); // of a leadership that wrote nothing: the leader may not know of it
            return;
        }
        if (offset <= state.view.segments()[0].baseOffset()) {
            truncateFully(offset);
            return;
        }
        long cut = segments.cutBefore(state.view, offset);
        announced(cut, () -> cutAt(cut));
    }

    /** Drops everything; the next record is {@code offset}. */
    void truncateFully(long offset) {
        announced(offset, () -> restartAt(offset));
    }

    private void announced(long cut, SegmentedLog.Change change) {
        state.onTruncation(); // a compaction under way is void
        state.checkpointedPoint = Math.min(state.checkpointedPoint, cut);
        state.cuttingAt = cut;
        try {
            parts.owner().truncated(log, cut);
            parts.owner().checkpoint(parts.directory());
            log.changeWhole("Truncating", change);
        } finally {
            state.cuttingAt = Long.MAX_VALUE;
        }
    }

    private void cutAt(long cut) throws IOException {
        state.view = segments.truncated(state.view, cut);
        long end = state.view.endOffset();
        state.recoveryPoint = Math.min(state.recoveryPoint, end);
        state.indexedBelow = Math.min(state.indexedBelow, state.view.active().baseOffset());
        state.epochs.truncateFromEnd(end);
        if (state.producers.truncateTo(
                state.logStartOffset, end, parts.environment().clock().wallMillis())) {
            parts.folder().files().syncDirectory(parts.folder().path());
        }
        try {
            segments.replay(state.view, state.producers);
        } catch (DamagedSegmentException e) { // what is cut is cut
            parts.owner().damaged(log, e);
        }
        state.highWatermark = Math.min(state.highWatermark, end);
        state.logStartOffset = Math.min(state.logStartOffset, end);
    }

    private void restartAt(long offset) throws IOException {
        state.producers.startAt(offset); // before the new segment: a snapshot of what was dropped must not serve it
        LogView before = state.view;
        Segment fresh = segments.restart(before, offset, state.config);
        state.view = new LogView(new Segment[] {fresh}, offset, 0);
        state.logStartOffset = offset;
        state.recoveryPoint = Math.min(state.recoveryPoint, offset);
        state.indexedBelow = Math.min(state.indexedBelow, offset);
        state.highWatermark = offset;
        state.epochs.clear();
    }

    /**
     * A replica's first batch may begin before the log start offset it was given, if records were deleted up to the middle of a batch:
     * the log then begins with the batch and keeps its start.
     */
    void restartWithBatch(long baseOffset) throws IOException {
        long start = state.logStartOffset;
        restartAt(baseOffset);
        state.logStartOffset = start;
        state.highWatermark = start;
    }
}
