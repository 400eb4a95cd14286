package io.barnabas.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Finds what a fetch answers: one range of one segment. Stateless; any thread. */
final class LogReader {
    private LogReader() {}

    /** The bounds of a read, as in {@link PartitionLog#read}. */
    record Request(long offset, int maxBytes, long upTo, boolean atLeastOne, boolean aborted) {}

    static ReadResult read(LogView view, Request request) throws IOException {
        long upTo = Math.min(request.upTo(), view.endOffset());
        for (int i = view.floor(request.offset()); i < view.segments().length && request.offset() < upTo; i++) {
            Segment segment = view.segments()[i];
            if (segment.baseOffset() >= upTo) {
                break;
            }
            Segment.Place first = segment.find(request.offset());
            if (first != null && first.position() < view.limitOf(i)) {
                return first.baseOffset() >= upTo ? nothing(request, false) : slice(view, i, first, request, upTo);
            }
        }
        return nothing(request, false);
    }

    private static ReadResult nothing(Request request, boolean cut) {
        return new ReadResult(MemoryRecords.EMPTY, request.offset(), List.of(), cut);
    }

    private static ReadResult slice(LogView view, int index, Segment.Place first, Request request, long upTo)
            throws IOException {
        Segment segment = view.segments()[index];
        int limit = limit(view, index, first, upTo);
        int available = limit - first.position();
        int size = Math.min(available, Math.max(0, request.maxBytes()));
        if (size < first.size()) {
            if (!request.atLeastOne()) {
                return nothing(request, true);
            }
            size = first.size();
        }
        boolean cut = size < available || view.endOf(index) < upTo;
        List<ReadResult.AbortedTransaction> aborted = List.of();
        if (request.aborted()) {
            aborted = aborted(view, index, request.offset(), endOf(view, index, first.position() + size, limit, upTo));
        }
        return new ReadResult(segment.file().slice(first.position(), size), request.offset(), aborted, cut);
    }

    /** The position behind the batch that holds {@code upTo - 1}, as far as it is in this segment. */
    private static int limit(LogView view, int index, Segment.Place first, long upTo) throws IOException {
        int limit = view.limitOf(index);
        if (upTo >= view.endOf(index)) {
            return limit;
        }
        if (first.lastOffset() >= upTo - 1) {
            return first.end();
        }
        Segment.Place last = view.segments()[index].find(upTo);
        if (last == null) {
            return limit;
        }
        return Math.min(limit, last.baseOffset() >= upTo ? last.position() : last.end());
    }

    /** An offset that nothing before {@code position} reaches: the bound of the aborted transactions that matter. */
    private static long endOf(LogView view, int index, int position, int limit, long upTo) throws IOException {
        long end = Math.min(upTo, view.endOf(index));
        if (position < limit) {
            OffsetIndex.Entry next = view.segments()[index].offsets().ceilingOfPosition(position);
            if (next != null) {
                return Math.min(end, next.offset());
            }
        }
        return end;
    }

    private static List<ReadResult.AbortedTransaction> aborted(LogView view, int index, long from, long upTo)
            throws IOException {
        List<ReadResult.AbortedTransaction> found = new ArrayList<>(0);
        for (int i = index; i < view.segments().length; i++) {
            if (view.segments()[i].transactions().collect(from, upTo, found)) {
                break;
            }
        }
        return found;
    }
}
