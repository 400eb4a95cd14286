package io.barnabas.simulation;

import io.barnabas.log.LogSlice;
import io.barnabas.log.ReadResult;
import io.barnabas.partition.LocalPartition;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/** What clients know of a partition: acknowledged to a producer or shown to a consumer, each of which holds for ever. */
final class PartitionHistory {
    private static final int READ_BYTES = 700;

    private final TopicPartition partition;
    private final TreeMap<Long, String> known = new TreeMap<>();
    boolean mayDelete;

    PartitionHistory(TopicPartition partition) {
        this.partition = partition;
    }

    void known(long offset, String value) {
        String before = known.put(offset, value);
        require(before == null || before.equals(value), "offset " + offset + " was " + before + " and is " + value);
    }

    /** Power was lost, and acknowledgements did not promise to survive that. */
    void lostFrom(long end) {
        known.tailMap(end, true).clear();
    }

    /** Reads some, as a consumer. */
    void readSome(LocalPartition from, long offset) throws IOException {
        long start = Math.max(offset, from.log().logStartOffset());
        if (start < from.highWatermark()) {
            read(from, start, new HashMap<>());
        }
    }

    /** Reads everything: nothing is missing, nothing is there twice. */
    void check(LocalPartition from) throws IOException {
        long start = from.log().logStartOffset();
        long end = from.highWatermark();
        require(end == from.log().logEndOffset(), "high watermark " + end + " stays behind");
        require(mayDelete || start == 0, "begins at " + start + " though nothing may be deleted");
        known.headMap(start).clear();
        require(known.isEmpty() || known.lastKey() < end, "ends at " + end + ", known were " + known.lastEntry());
        Map<String, Long> offsets = new HashMap<>();
        long next = start;
        while (next < end) {
            long read = read(from, next, offsets);
            require(read > next, "nothing to read at " + next + " below " + end);
            next = read;
        }
        known.forEach((offset, value) -> require(
                Long.valueOf(offset).equals(offsets.get(value)),
                value + " was at " + offset + " and is at " + offsets.get(value)));
    }

    private long read(LocalPartition from, long offset, Map<String, Long> offsets) throws IOException {
        ReadResult result = from.read(offset, READ_BYTES, true, false);
        if (!(result.records() instanceof LogSlice slice)) {
            return offset;
        }
        long next = offset;
        try {
            for (RecordBatch batch : slice.toMemory().batches()) {
                batch.ensureValid();
                next = readBatch(batch, next, offsets);
            }
        } finally {
            slice.release();
        }
        require(next <= from.highWatermark(), "shows " + next + " beyond the high watermark");
        return next;
    }

    private long readBatch(RecordBatch batch, long from, Map<String, Long> offsets) {
        long next = from;
        for (Record record : batch) {
            if (record.offset() < from) {
                continue;
            }
            require(record.offset() == next, "lacks offset " + next);
            String value = StandardCharsets.UTF_8.decode(record.value()).toString();
            Long twice = offsets.put(value, next);
            require(twice == null, value + " is at " + twice + " and again at " + next);
            known(next, value);
            next++;
        }
        return next;
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(partition + ": " + otherwise);
        }
    }
}
