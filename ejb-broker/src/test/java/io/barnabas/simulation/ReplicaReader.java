package io.barnabas.simulation;

import io.barnabas.log.LogSlice;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.ReadResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Reads a replica's log from behind the scenes. */
final class ReplicaReader {
    private static final int READ_BYTES = 1 << 16;

    private ReplicaReader() {}

    /**
     * A record as it lies there.
     *
     * @param epoch of the leader that wrote it
     * @param value in words; of a marker what it says
     */
    record Entry(long offset, int epoch, long producerId, boolean control, String value) {}

    /** What is between two offsets. */
    static List<Entry> read(PartitionLog log, long from, long to) {
        List<Entry> found = new ArrayList<>();
        long next = from;
        try {
            while (next < to) {
                ReadResult read = log.read(next, READ_BYTES, to, true, false);
                if (!(read.records() instanceof LogSlice slice)) {
                    break;
                }
                try {
                    for (RecordBatch batch : slice.toMemory().batches()) {
                        batch.ensureValid();
                        take(batch, from, to, found);
                        next = batch.nextOffset();
                    }
                } finally {
                    slice.release();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static void take(RecordBatch batch, long from, long to, List<Entry> found) {
        for (Record record : batch) {
            if (record.offset() >= from && record.offset() < to) {
                found.add(new Entry(
                        record.offset(),
                        batch.partitionLeaderEpoch(),
                        batch.producerId(),
                        batch.isControlBatch(),
                        batch.isControlBatch()
                                ? ControlRecordType.parse(record.key()).name()
                                : text(record)));
            }
        }
    }

    private static String text(Record record) {
        return record.hasValue() ? StandardCharsets.UTF_8.decode(record.value()).toString() : "null";
    }
}
