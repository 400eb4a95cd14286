package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;

/**
 * Puts judged batches at a log's end: stamps offsets and epoch in place, asks the producers, rolls if due, writes once, and publishes
 * the new {@link LogView}. After {@link BatchValidator}, before {@link Segment}.
 *
 * <p>Thread: the appender's own, under the log's lock.
 */
final class BatchAppender {
    private final SegmentedLog log;
    private final SegmentedLog.LogParts parts;
    private final LogState state;
    private final SegmentStore segments;
    private final LogTruncation truncation;

    BatchAppender(
            SegmentedLog log,
            SegmentedLog.LogParts parts,
            LogState state,
            SegmentStore segments,
            LogTruncation truncation) {
        this.log = log;
        this.parts = parts;
        this.state = state;
        this.segments = segments;
        this.truncation = truncation;
    }

    void requireFits(ByteBuffer batches, LogConfig config) {
        if (batches.remaining() > config.segmentBytes()) {
            throw new RecordBatchTooLargeException(
                    "The batches of " + batches.remaining() + " bytes exceed segment.bytes " + config.segmentBytes());
        }
    }

    AppendResult append(BatchValidator.ValidatedBatch valid, AppendOrigin origin, int leaderEpoch, AppendTerms terms)
            throws IOException {
        ByteBuffer buffer = valid.buffer();
        int from = buffer.position();
        if (origin == AppendOrigin.CLIENT && BatchHeader.producerId(buffer, from) >= 0) {
            ProducerStates.Duplicate same = state.producers.duplicateOf(buffer, from);
            if (same != null) {
                return new AppendResult(
                        same.firstOffset(), same.lastOffset(), same.timestamp(), state.logStartOffset, true, 0, 0);
            }
        }
        if (origin == AppendOrigin.REPLICATION) {
            maybeBeginBefore(buffer, from);
        }
        long end = prepare(buffer, origin, leaderEpoch, terms);
        write(buffer, end);
        return new AppendResult(
                BatchHeader.baseOffset(buffer, from),
                end - 1,
                valid.logAppendTimeMs(),
                state.logStartOffset,
                false,
                buffer.limit() - from,
                valid.records());
    }

    private void maybeBeginBefore(ByteBuffer buffer, int at) throws IOException {
        LogView now = state.view;
        boolean empty = now.segments().length == 1 && now.endPosition() == 0 && now.endOffset() == state.logStartOffset;
        if (empty
                && BatchHeader.baseOffset(buffer, at) < now.endOffset()
                && BatchHeader.lastOffset(buffer, at) >= now.endOffset()) {
            truncation.restartWithBatch(BatchHeader.baseOffset(buffer, at));
        }
    }

    /** Stamps and judges every batch and records new epochs; returns the offset after the last. */
    private long prepare(ByteBuffer buffer, AppendOrigin origin, int leaderEpoch, AppendTerms terms)
            throws IOException {
        long next = state.view.endOffset();
        for (int at = buffer.position(); at < buffer.limit(); at += BatchHeader.sizeInBytes(buffer, at)) {
            if (origin != AppendOrigin.REPLICATION) {
                BatchHeader.stamp(buffer, at, next, leaderEpoch);
                if (BatchHeader.producerId(buffer, at) >= 0) {
                    state.producers.check(buffer, at, origin, terms);
                }
            } else if (BatchHeader.baseOffset(buffer, at) < next) {
                throw new OffsetOutOfRangeException("A batch at offset " + BatchHeader.baseOffset(buffer, at)
                        + " cannot follow offset " + (next - 1) + " of " + parts.partition());
            }
            int epoch = BatchHeader.leaderEpoch(buffer, at);
            if (epoch >= 0 && state.epochs.isNews(epoch, BatchHeader.baseOffset(buffer, at))) {
                state.epochs.assign(epoch, BatchHeader.baseOffset(buffer, at));
            }
            next = BatchHeader.lastOffset(buffer, at) + 1;
        }
        return next;
    }

    private void write(ByteBuffer buffer, long end) throws IOException {
        int from = buffer.position();
        LogConfig config = state.config;
        maybeRoll(buffer, end - 1, config);
        Segment active = state.view.active();
        if (active.size() != state.view.endPosition()) {
            throw new IllegalStateException(
                    active + " does not end at " + state.view.endPosition() + ": an append ended half way");
        }
        active.append(buffer);
        buffer.position(from);
        for (int at = from; at < buffer.limit(); at += BatchHeader.sizeInBytes(buffer, at)) {
            TransactionIndex.Aborted aborted = state.producers.apply(buffer, at);
            if (aborted != null) {
                active.transactions().append(aborted);
            }
        }
        state.view = state.view.withEnd(end, active.size());
        if (end - state.recoveryPoint >= config.flushMessages()) {
            parts.directory().commits().request(log);
        }
    }

    private void maybeRoll(ByteBuffer buffer, long lastOffset, LogConfig config) throws IOException {
        Segment active = state.view.active();
        boolean tooLarge = active.size() > config.segmentBytes() - buffer.remaining();
        long segmentMs = config.segmentMsMax();
        boolean tooOld = active.size() > 0
                && active.waitedMs(
                                parts.environment().clock().wallMillis(),
                                BatchHeader.maxTimestamp(buffer, buffer.position()))
                        > segmentMs - jitterMs(active, config.segmentJitterMs(), segmentMs);
        if (tooLarge || tooOld || active.isFull(lastOffset, config.segmentIndexBytes())) {
            long end = state.view.endOffset();
            boolean far = lastOffset - end > Integer.MAX_VALUE;
            roll(far ? BatchHeader.baseOffset(buffer, buffer.position()) : end);
        }
    }

    /** The same at every call for one segment, different between partitions: their rolls do not all fall together. */
    private long jitterMs(Segment active, long jitterMs, long segmentMs) {
        long most = Math.min(jitterMs, segmentMs);
        return most <= 0 ? 0 : Math.floorMod(parts.partition().hashCode() * 31L + active.baseOffset(), most);
    }

    /** Begins a new segment; the old one is forced later, on the directory's forcer. */
    void roll(long newBase) throws IOException {
        LogView before = state.view;
        Segment old = before.active();
        if (old.size() == 0 && old.baseOffset() == newBase) {
            return;
        }
        old.seal();
        state.producers.takeSnapshot();
        Segment next = segments.begun(newBase, state.config);
        state.view = old.size() == 0 ? segments.replaced(before, List.of(old), next) : before.rolled(next);
        parts.directory().commits().request(log);
    }

    /** Begins a segment behind a gap, as compaction leaves it before an active segment. */
    void skipTo(long offset) throws IOException {
        if (offset > state.view.endOffset()) {
            state.producers.takeSnapshotAt(offset);
            roll(offset);
            state.view = state.view.withEnd(offset, 0);
        }
    }
}
