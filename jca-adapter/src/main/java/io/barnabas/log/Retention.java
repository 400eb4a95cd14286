package io.barnabas.log;

import java.io.IOException;

/** Which segments of a log are due by time, size and log start offset; never what is not below the high watermark. */
final class Retention {
    private Retention() {}

    /** Deletes what is due; returns the number of segments. */
    static int apply(SegmentedLog log, long nowMs) throws IOException {
        LogConfig config = log.config();
        int deleted = log.deleteSegmentsBelow(log.logStartOffset());
        if (config.delete()) {
            deleted += byTime(log, config, nowMs);
            deleted += bySize(log, config);
        }
        return deleted;
    }

    private static int byTime(SegmentedLog log, LogConfig config, long nowMs) throws IOException {
        if (config.retentionMs() < 0) {
            return 0;
        }
        LogView view = log.view();
        Segment[] all = view.segments();
        int due = 0;
        while (due < all.length
                && view.endOf(due) <= log.highWatermark()
                && isDue(all[due], due == all.length - 1, nowMs - config.retentionMs())) {
            due++;
        }
        if (due == 0) {
            return 0;
        }
        long upTo = view.endOf(due - 1);
        if (due == all.length) {
            if (log.logEndOffset() != upTo) {
                return 0; // somebody appended meanwhile: the next round looks again
            }
            log.roll();
        }
        return log.deleteSegmentsBelow(upTo);
    }

    /** A sealed segment that compaction has emptied keeps nothing, and shall not hold up those behind it. */
    private static boolean isDue(Segment segment, boolean active, long before) throws IOException {
        return segment.size() == 0 ? !active : segment.retentionTimestamp() < before;
    }

    private static int bySize(SegmentedLog log, LogConfig config) {
        if (config.retentionBytes() < 0) {
            return 0;
        }
        LogView view = log.view();
        long excess = view.sizeInBytes() - config.retentionBytes();
        int due = 0;
        while (due < view.segments().length - 1
                && view.endOf(due) <= log.highWatermark()
                && excess - view.segments()[due].size() >= 0) {
            excess -= view.segments()[due].size();
            due++;
        }
        return due == 0 ? 0 : log.deleteSegmentsBelow(view.endOf(due - 1));
    }
}
