package io.barnabas.log;

import java.io.IOException;
import java.util.Arrays;

/**
 * What readers see of a log at one moment: its segments and its end. Immutable and published by one volatile write after each append,
 * roll or truncation, so that a reader needs no lock and never sees an end without the bytes before it.
 *
 * @param segments by base offset, at least one; the array is not changed
 * @param endOffset offset of the next record
 * @param endPosition bytes of the last segment that belong to records below {@code endOffset}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; a list would cost an indirection at every read
record LogView(Segment[] segments, long endOffset, int endPosition) {
    Segment active() {
        return segments[segments.length - 1];
    }

    /** Index of the segment that holds {@code offset}, or the first one. */
    int floor(long offset) {
        int low = 0;
        int high = segments.length - 1;
        if (offset >= segments[high].baseOffset()) {
            return high;
        }
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (segments[middle].baseOffset() <= offset) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /** Bytes of a segment that may be read. */
    int limitOf(int index) {
        return index == segments.length - 1 ? endPosition : segments[index].size();
    }

    /** The offset after the last that a segment may hold. */
    long endOf(int index) {
        return index == segments.length - 1 ? endOffset : segments[index + 1].baseOffset();
    }

    LogView withEnd(long newEndOffset, int newEndPosition) {
        return new LogView(segments, newEndOffset, newEndPosition);
    }

    /** With a new, empty active segment. */
    LogView rolled(Segment next) {
        Segment[] more = Arrays.copyOf(segments, segments.length + 1);
        more[segments.length] = next;
        return new LogView(more, endOffset, 0);
    }

    LogView withSegments(Segment[] others) {
        return new LogView(others, endOffset, endPosition);
    }

    long sizeInBytes() {
        long size = endPosition;
        for (int i = 0; i < segments.length - 1; i++) {
            size += segments[i].size();
        }
        return size;
    }

    /** Bytes of batches from the one that holds {@code offset} on. */
    long bytesFrom(long offset) throws IOException {
        int first = floor(offset);
        long bytes = 0;
        for (int i = first + 1; i < segments.length; i++) {
            bytes += limitOf(i);
        }
        Segment.Place place = offset < endOf(first) ? segments[first].find(offset) : null;
        return place == null ? bytes : bytes + Math.max(0, limitOf(first) - place.position());
    }
}
