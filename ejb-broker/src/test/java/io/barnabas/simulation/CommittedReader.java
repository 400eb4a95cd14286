package io.barnabas.simulation;

import io.barnabas.log.LogSlice;
import io.barnabas.log.ReadResult;
import io.barnabas.partition.LocalPartition;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Reads a partition as a read_committed consumer does: what the broker names as aborted is passed over. */
final class CommittedReader {
    private static final int FETCH_BYTES = 600;

    private final Consumer<String> values;
    private long next;
    private long stable;

    CommittedReader(Consumer<String> values) {
        this.values = values;
    }

    /** The greatest last stable offset that was seen. */
    long stable() {
        return stable;
    }

    /** Reads to the end of what is decided; returns whether that end has not gone back. */
    boolean poll(LocalPartition partition) throws IOException {
        long now = partition.lastStableOffset();
        if (now < stable) {
            return false;
        }
        stable = now;
        while (next < stable) {
            ReadResult result = partition.read(next, FETCH_BYTES, true, true);
            List<ReadResult.AbortedTransaction> aborted = new ArrayList<>(result.aborted());
            aborted.sort(Comparator.comparingLong(ReadResult.AbortedTransaction::firstOffset));
            Set<Long> skipped = new HashSet<>();
            for (MutableRecordBatch batch : batches(result)) {
                while (!aborted.isEmpty() && aborted.get(0).firstOffset() <= batch.lastOffset()) {
                    skipped.add(aborted.remove(0).producerId());
                }
                take(batch, skipped);
                next = batch.nextOffset();
            }
        }
        return true;
    }

    private void take(RecordBatch batch, Set<Long> skipped) {
        if (batch.isControlBatch()) {
            Record marker = batch.iterator().next();
            if (ControlRecordType.parse(marker.key()) == ControlRecordType.ABORT) {
                skipped.remove(batch.producerId());
            }
        } else if (!skipped.contains(batch.producerId())) {
            batch.forEach(record ->
                    values.accept(StandardCharsets.UTF_8.decode(record.value()).toString()));
        }
    }

    /** Every batch of a log, decided or not. */
    static void scan(LocalPartition partition, Consumer<RecordBatch> batches) throws IOException {
        long offset = 0;
        while (offset < partition.highWatermark()) {
            for (MutableRecordBatch batch : batches(partition.read(offset, FETCH_BYTES, true, false))) {
                batches.accept(batch);
                offset = batch.nextOffset();
            }
        }
    }

    private static List<MutableRecordBatch> batches(ReadResult result) throws IOException {
        LogSlice slice = (LogSlice) result.records();
        try {
            List<MutableRecordBatch> all = new ArrayList<>();
            slice.toMemory().batches().forEach(all::add);
            return all;
        } finally {
            slice.release();
        }
    }
}
