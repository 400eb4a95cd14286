package io.barnabas.log;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Follows transactions while batches are read in order: which batches belong to an aborted one, and whether a marker still has data
 * before it. A marker goes only after the last of its transaction's batches is gone. One thread, one pass.
 */
final class CompactedTransactions {
    private final PriorityQueue<TransactionIndex.Aborted> ahead =
            new PriorityQueue<>(Comparator.comparingLong(TransactionIndex.Aborted::firstOffset));
    private final Map<Long, Ongoing> abortedByProducer = new HashMap<>();
    private final Set<Long> committing = new HashSet<>();
    private final List<TransactionIndex.Aborted> retained = new ArrayList<>();

    /** @param aborted every aborted transaction whose marker is at or behind the first batch that will be read */
    CompactedTransactions(List<TransactionIndex.Aborted> aborted) {
        ahead.addAll(aborted);
    }

    /** Whether {@code batch}, of data, belongs to an aborted transaction. */
    boolean isAborted(RecordBatch batch) {
        admit(batch.lastOffset());
        if (!batch.isTransactional()) {
            return false;
        }
        Ongoing transaction = abortedByProducer.get(batch.producerId());
        if (transaction == null) {
            committing.add(batch.producerId());
            return false;
        }
        transaction.hasData = true;
        return true;
    }

    /** Whether {@code marker}, a control batch, has no data left that needs it. */
    boolean isObsolete(RecordBatch marker) {
        admit(marker.lastOffset());
        Integer count = marker.countOrNull();
        if (count != null && count == 0) {
            return true; // cleaned before
        }
        Record record = marker.iterator().next();
        ControlRecordType type = ControlRecordType.parse(record.key());
        if (type == ControlRecordType.COMMIT) {
            return !committing.remove(marker.producerId());
        }
        if (type != ControlRecordType.ABORT) {
            return false;
        }
        Ongoing transaction = abortedByProducer.remove(marker.producerId());
        if (transaction == null || !transaction.hasData) {
            return true;
        }
        retained.add(transaction.aborted);
        return false;
    }

    /** Aborted transactions whose markers were read since the last call and stay: entries for the new transaction index. */
    List<TransactionIndex.Aborted> takeRetained() {
        List<TransactionIndex.Aborted> taken = List.copyOf(retained);
        retained.clear();
        return taken;
    }

    private void admit(long offset) {
        TransactionIndex.Aborted next = ahead.peek();
        while (next != null && next.firstOffset() <= offset) {
            ahead.remove();
            abortedByProducer.putIfAbsent(next.producerId(), new Ongoing(next));
            next = ahead.peek();
        }
    }

    private static final class Ongoing {
        private final TransactionIndex.Aborted aborted;
        private boolean hasData;

        Ongoing(TransactionIndex.Aborted aborted) {
            this.aborted = aborted;
        }
    }
}
