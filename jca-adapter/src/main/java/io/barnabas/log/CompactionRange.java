package io.barnabas.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What of a log may and should be compacted now: never the active segment, nothing from the high watermark or the first open
 * transaction on, nothing younger than min.compaction.lag.ms. A snapshot; computed anew for every pass.
 *
 * @param sealed segments in order that may be rewritten; all of them lie below {@code endOffset}
 * @param dirtyOffset first offset that was not compacted yet
 * @param endOffset base offset of the first segment that may not be touched
 * @param cleanBytes bytes of segments that begin before {@code dirtyOffset}
 * @param dirtyBytes bytes from there to {@code endOffset}
 * @param overdue a dirty segment is older than max.compaction.lag.ms
 */
record CompactionRange(
        List<Segment> sealed, long dirtyOffset, long endOffset, long cleanBytes, long dirtyBytes, boolean overdue) {

    /**
     * Looks into the segments of the log, which may go away meanwhile.
     *
     * @param all the log's segments, the active one too
     * @param checkpoint where the last pass ended; -1 if there was none
     */
    static CompactionRange of(CompactableLog log, List<Segment> all, long checkpoint, long nowMs) throws IOException {
        long start = log.logStartOffset();
        long dirty = checkpoint < start || checkpoint > log.logEndOffset() ? start : checkpoint;
        long limit = Math.min(log.firstUnstableOffset(), log.highWatermark());
        List<Segment> sealed = new ArrayList<>();
        long cleanBytes = 0;
        long dirtyBytes = 0;
        boolean overdue = false;
        long end = all.get(0).baseOffset();
        for (int i = 0; i < all.size() - 1; i++) {
            Segment segment = all.get(i);
            long next = all.get(i + 1).baseOffset();
            boolean isDirty = next > dirty;
            if (next > limit || (isDirty && isTooYoung(segment, log.config(), nowMs))) {
                break;
            }
            sealed.add(segment);
            end = next;
            if (isDirty) {
                dirtyBytes += segment.size();
                overdue |= isOverdue(segment, log.config(), nowMs);
            } else {
                cleanBytes += segment.size();
            }
        }
        return new CompactionRange(sealed, dirty, end, cleanBytes, dirtyBytes, overdue);
    }

    private static boolean isTooYoung(Segment segment, LogConfig config, long nowMs) throws IOException {
        return config.minCompactionLagMs() > 0 && segment.maxTimestamp() > nowMs - config.minCompactionLagMs();
    }

    private static boolean isOverdue(Segment segment, LogConfig config, long nowMs) throws IOException {
        if (config.maxCompactionLagMs() == Long.MAX_VALUE) {
            return false;
        }
        BatchCursor cursor = BatchCursor.over(segment.file(), 0, segment.size());
        return cursor.next()
                && cursor.maxTimestamp() > 0
                && cursor.maxTimestamp() < nowMs - Math.max(0, config.maxCompactionLagMs());
    }

    /** Share of dirty bytes in all that may be compacted. */
    double dirtyRatio() {
        long total = cleanBytes + dirtyBytes;
        return total == 0 ? 0 : (double) dirtyBytes / total;
    }

    boolean isDue(LogConfig config) {
        return dirtyBytes > 0 && (overdue || dirtyRatio() > config.minCleanableDirtyRatio());
    }
}
