package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.record.internal.RecordBatch;

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
        if (origin == AppendOrigin.REPLICATION) {
            return replicate(valid, leaderEpoch);
        }
        if (origin == AppendOrigin.CLIENT && BatchHeader.producerId(buffer, from) >= 0) {
            ProducerStates.Duplicate same = state.producers.duplicateOf(buffer, from);
            if (same != null) {
                return new AppendResult(
                        same.firstOffset(), same.lastOffset(), same.timestamp(), state.logStartOffset, true, 0, 0);
            }
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

    /**
     * Takes a leader's batches as they are. What a leader of a later epoch wrote is left off: the file that the answer came from may have
     * been cut and written anew while it was sent, and only that later leader may say what goes before those batches.
     *
     * @param leaderEpoch under which they were fetched; below 0 for a copy of this log itself
     */
    private AppendResult replicate(BatchValidator.ValidatedBatch valid, int leaderEpoch) throws IOException {
        ByteBuffer buffer = valid.buffer();
        int from = buffer.position();
        int limit = buffer.limit();
        maybeBeginBefore(buffer, from);
        long first = state.view.endOffset();
        int until = judgeReplicated(buffer, leaderEpoch < 0 ? Integer.MAX_VALUE : leaderEpoch);
        int records = 0;
        while (buffer.position() < until) {
            int next = endOfPiece(buffer, until);
            buffer.limit(next);
            for (int at = buffer.position(); at < next; at += BatchHeader.sizeInBytes(buffer, at)) {
                maybeBeginEpoch(buffer, at);
                records += BatchHeader.recordCount(buffer, at);
            }
            write(buffer, lastOffset(buffer) + 1);
            buffer.limit(limit).position(next);
        }
        buffer.position(from);
        return new AppendResult(
                until > from ? BatchHeader.baseOffset(buffer, from) : first,
                state.view.endOffset() - 1,
                RecordBatch.NO_TIMESTAMP,
                state.logStartOffset,
                false,
                until - from,
                records);
    }

    /** Where the batches end that may follow the log's end. */
    private int judgeReplicated(ByteBuffer buffer, int epochMax) {
        long next = state.view.endOffset();
        int at = buffer.position();
        while (at < buffer.limit() && BatchHeader.leaderEpoch(buffer, at) <= epochMax) {
            if (BatchHeader.baseOffset(buffer, at) < next || BatchHeader.lastOffsetDelta(buffer, at) < 0) {
                throw new OffsetOutOfRangeException("A batch at offset " + BatchHeader.baseOffset(buffer, at)
                        + " cannot follow offset " + (next - 1) + " of " + parts.partition());
            }
            next = BatchHeader.lastOffset(buffer, at) + 1;
            at += BatchHeader.sizeInBytes(buffer, at);
        }
        return at;
    }

    /** The end of as many batches as one segment may hold: the leader's segments may be larger, and its gaps wide. */
    private int endOfPiece(ByteBuffer buffer, int until) {
        int from = buffer.position();
        long base = BatchHeader.baseOffset(buffer, from);
        int at = from + BatchHeader.sizeInBytes(buffer, from);
        while (at < until) {
            int end = at + BatchHeader.sizeInBytes(buffer, at);
            if (end - from > state.config.segmentBytes()
                    || BatchHeader.lastOffset(buffer, at) - base > Integer.MAX_VALUE) {
                break;
            }
            at = end;
        }
        return at;
    }

    private static long lastOffset(ByteBuffer buffer) {
        long last = -1;
        for (int at = buffer.position(); at < buffer.limit(); at += BatchHeader.sizeInBytes(buffer, at)) {
            last = BatchHeader.lastOffset(buffer, at);
        }
        return last;
    }

    private void maybeBeginEpoch(ByteBuffer buffer, int at) throws IOException {
        int epoch = BatchHeader.leaderEpoch(buffer, at);
        if (epoch >= 0 && state.epochs.isNews(epoch, BatchHeader.baseOffset(buffer, at))) {
            state.epochs.assign(epoch, BatchHeader.baseOffset(buffer, at));
        }
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
            BatchHeader.stamp(buffer, at, next, leaderEpoch);
            if (BatchHeader.producerId(buffer, at) >= 0) {
                state.producers.check(buffer, at, origin, terms);
            }
            maybeBeginEpoch(buffer, at);
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
