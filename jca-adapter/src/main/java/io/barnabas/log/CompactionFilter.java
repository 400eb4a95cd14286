package io.barnabas.log;

import java.util.Map;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * What compaction keeps, batch by batch and record by record; kafka-clients' {@link MemoryRecords#filterTo} does the rewriting, and
 * gives tombstones and markers that may go their delete horizon.
 *
 * <p>Batches are shown in order: {@link #checkBatchRetention} sets what {@link #shouldRetainRecord} then goes by.
 */
final class CompactionFilter extends MemoryRecords.RecordFilter {
    private final KeyOffsets keys;
    private final CompactedTransactions transactions;
    private final Map<Long, CompactableLog.LastRecord> lastRecords;
    private final long highWatermark;
    private boolean discardRecords; // of the present batch

    CompactionFilter(CompactableLog log, KeyOffsets keys, CompactedTransactions transactions, long nowMs) {
        super(nowMs, log.config().deleteRetentionMs());
        this.keys = keys;
        this.transactions = transactions;
        this.lastRecords = log.lastRecords();
        this.highWatermark = log.highWatermark();
    }

    @Override
    protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
        boolean control = batch.isControlBatch();
        boolean unneeded = control ? transactions.isObsolete(batch) : transactions.isAborted(batch);
        discardRecords = unneeded && (!control || isPastHorizon(batch));
        return new BatchRetentionResult(retention(batch), unneeded && control);
    }

    /** A batch that is a producer's last, or the last one replicated, stays as an empty one: sequences and offsets need it. */
    private BatchRetention retention(RecordBatch batch) {
        if (isLastOfProducer(batch) || batch.nextOffset() == highWatermark) {
            return BatchRetention.RETAIN_EMPTY;
        }
        return discardRecords ? BatchRetention.DELETE : BatchRetention.DELETE_EMPTY;
    }

    private boolean isLastOfProducer(RecordBatch batch) {
        CompactableLog.LastRecord last = batch.hasProducerId() ? lastRecords.get(batch.producerId()) : null;
        if (last == null) {
            return false;
        }
        return last.dataOffset() >= 0
                ? batch.lastOffset() == last.dataOffset()
                : batch.isControlBatch() && batch.producerEpoch() == last.epoch();
    }

    private boolean isPastHorizon(RecordBatch batch) {
        return batch.deleteHorizonMs().isPresent() && batch.deleteHorizonMs().getAsLong() <= currentTime;
    }

    @Override
    protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
        if (discardRecords) {
            return false;
        }
        if (batch.isControlBatch() || record.offset() > keys.lastOffset()) {
            return true;
        }
        if (!record.hasKey() || record.offset() < keys.get(record.key())) {
            return false;
        }
        return record.hasValue() || !isPastHorizon(batch);
    }
}
