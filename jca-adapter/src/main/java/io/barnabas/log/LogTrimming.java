package io.barnabas.log;

import java.io.IOException;
import java.util.List;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;

/**
 * Takes records off a log's front: retention and DeleteRecords. The start offset moves first, then segments that lie before it go.
 *
 * <p>Thread: the caller's, taking the log's lock for each change and not for the checkpoint between them.
 */
final class LogTrimming {
    private final SegmentedLog log;
    private final SegmentedLog.LogParts parts;
    private final LogState state;
    private final SegmentStore segments;

    LogTrimming(SegmentedLog log, SegmentedLog.LogParts parts, LogState state, SegmentStore segments) {
        this.log = log;
        this.parts = parts;
        this.state = state;
        this.segments = segments;
    }

    long deleteRecordsBefore(long offset) {
        log.change("Deleting records", () -> {
            if (offset > state.view.endOffset()) {
                throw new OffsetOutOfRangeException("Offset " + offset + " of " + parts.partition()
                        + " is beyond the end " + state.view.endOffset());
            }
            startAt(offset);
        });
        if (offset > state.checkpointedStart) { // also if an earlier try had no room for the checkpoint
            parts.owner().checkpoint(parts.directory());
            log.change("Deleting segments", () -> dropSegmentsBelow(state.logStartOffset));
        }
        return state.logStartOffset;
    }

    private void startAt(long offset) throws IOException {
        if (offset > state.logStartOffset) {
            state.logStartOffset = offset;
            state.epochs.truncateFromStart(offset);
        }
    }

    /** Takes away the segments that end at or below {@code offset}, never the active one. Returns how many. */
    int deleteSegmentsBelow(long offset) {
        int[] dropped = new int[1];
        log.change("Deleting segments", () -> {
            startAt(Math.min(offset, state.view.endOffset()));
            dropped[0] = dropSegmentsBelow(offset);
        });
        return dropped[0];
    }

    private int dropSegmentsBelow(long offset) throws IOException {
        LogView before = state.view;
        int n = 0;
        while (n < before.segments().length - 1 && before.segments()[n + 1].baseOffset() <= offset) {
            n++;
        }
        if (n > 0) {
            // what the producers wrote into the segments is known by this snapshot alone then
            state.producers.snapshots().force(state.producers.snapshots().from(before.segments()[n].baseOffset()));
            List<Segment> gone = List.of(before.segments()).subList(0, n);
            state.view = segments.without(before, gone);
            segments.deleteLater(gone, state.config.fileDeleteDelayMs());
            state.producers.snapshots().deleteBelow(state.view.segments()[0].baseOffset());
        }
        return n;
    }
}
