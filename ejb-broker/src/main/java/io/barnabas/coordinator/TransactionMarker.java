package io.barnabas.coordinator;

import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * The end of a transaction, as it is written to each partition that has part in it.
 *
 * @param producerEpoch from transaction version 2 on, one more than that of the data
 * @param coordinatorEpoch leader epoch of the coordinator's partition: one of an earlier leader is refused
 * @param transactionVersion of the transaction (KIP-890)
 */
public record TransactionMarker(
        long producerId, short producerEpoch, int coordinatorEpoch, boolean commit, short transactionVersion) {
    /** The control batch that says so. */
    public MemoryRecords toRecords(long nowMs) {
        return MemoryRecords.withEndTransactionMarker(
                nowMs,
                producerId,
                producerEpoch,
                new EndTransactionMarker(
                        commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT, coordinatorEpoch));
    }
}
