package io.barnabas.log;

import java.io.IOException;
import java.util.Optional;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/** ListOffsets by time: narrows by the time index, then walks headers, then opens one batch. Stateless; any thread. */
final class TimestampSearch {
    private TimestampSearch() {}

    /** A record's time and offset. */
    record Found(long timestamp, long offset) {}

    /** First record at or after {@code from} and below {@code upTo} whose timestamp is at least {@code timestamp}. */
    static Optional<Found> first(LogView view, long timestamp, long from, long upTo) throws IOException {
        for (int i = view.floor(from); i < view.segments().length; i++) {
            Segment segment = view.segments()[i];
            if (segment.baseOffset() >= upTo) {
                break;
            }
            if (i < view.segments().length - 1 && segment.maxTimestamp() < timestamp) {
                continue;
            }
            Found found = firstIn(view, i, timestamp, from, upTo);
            if (found != null) {
                return Optional.of(found);
            }
        }
        return Optional.empty();
    }

    private static @Nullable Found firstIn(LogView view, int index, long timestamp, long from, long upTo)
            throws IOException {
        Segment segment = view.segments()[index];
        long start = Math.max(from, segment.soundTimeEntryBelow(timestamp).offset());
        Segment.Place place = segment.find(start);
        if (place == null) {
            return null;
        }
        BatchCursor cursor = BatchCursor.over(segment.file(), place.position(), view.limitOf(index));
        while (cursor.next() && cursor.baseOffset() < upTo) {
            if (cursor.maxTimestamp() >= timestamp) {
                Found found = inBatch(cursor, timestamp, from, upTo);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    /** First of the records below {@code upTo} that have the greatest timestamp. */
    static Optional<Found> max(LogView view, long from, long upTo) throws IOException {
        int best = -1;
        long bestTime = -1;
        for (int i = view.floor(from); i < view.segments().length; i++) {
            Segment segment = view.segments()[i];
            if (segment.baseOffset() < upTo && segment.size() > 0 && segment.maxTimestamp() > bestTime) {
                best = i;
                bestTime = segment.maxTimestamp();
            }
        }
        if (best < 0) {
            return Optional.empty();
        }
        if (view.endOf(best) <= upTo) {
            Found found = firstIn(view, best, bestTime, from, upTo);
            if (found != null) {
                return Optional.of(found);
            }
        }
        return maxByWalk(view, from, upTo);
    }

    private static Optional<Found> maxByWalk(LogView view, long from, long upTo) throws IOException {
        long bestTime = -1;
        for (int i = view.floor(from); i < view.segments().length; i++) {
            BatchCursor cursor = BatchCursor.over(view.segments()[i].file(), 0, view.limitOf(i));
            while (cursor.next() && cursor.baseOffset() < upTo) {
                if (cursor.lastOffset() >= from) {
                    bestTime = Math.max(bestTime, cursor.maxTimestamp());
                }
            }
        }
        return bestTime < 0 ? Optional.empty() : first(view, bestTime, from, upTo);
    }

    private static @Nullable Found inBatch(BatchCursor cursor, long timestamp, long from, long upTo)
            throws IOException {
        MemoryRecords batch = MemoryRecords.readableRecords(cursor.copy());
        for (RecordBatch each : batch.batches()) {
            for (Record record : each) {
                if (record.timestamp() >= timestamp && record.offset() >= from && record.offset() < upTo) {
                    return new Found(record.timestamp(), record.offset());
                }
            }
        }
        return null;
    }
}
