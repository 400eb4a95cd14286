package io.barnabas.coordinator;

import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** A coordinator's way to its partition of the log. Safe from any thread. */
public interface PartitionWriter {
    /**
     * Appends.
     *
     * @param leaderEpoch the epoch under which the shard was loaded: another present one is refused
     * @return the offset after the last record
     * @throws org.apache.kafka.common.errors.ApiException nothing was appended
     */
    long append(TopicPartition partition, int leaderEpoch, MemoryRecords records);

    /**
     * Appends a batch of a transaction.
     *
     * @param guard of {@link #beginVerification}
     * @return the offset after the last record
     * @throws org.apache.kafka.common.errors.ApiException nothing was appended
     */
    default long appendGuarded(TopicPartition partition, int leaderEpoch, MemoryRecords records, long guard) {
        return append(partition, leaderEpoch, records);
    }

    /**
     * Appends a transaction's marker.
     *
     * @param transactionVersion of the transaction (KIP-890)
     * @return the offset after it
     * @throws org.apache.kafka.common.errors.ApiException nothing was appended
     */
    default long appendMarker(
            TopicPartition partition, int leaderEpoch, MemoryRecords marker, short transactionVersion) {
        return append(partition, leaderEpoch, marker);
    }

    /**
     * A producer is about to write to the partition in a transaction: its coordinator is asked next (KIP-890).
     *
     * @param epochBump the producer gets a new epoch with every transaction (TV2)
     * @return the guard to append with; 0 if the transaction is open in the partition already, and nobody need be asked
     * @throws org.apache.kafka.common.errors.ApiException it may not
     */
    default long beginVerification(TopicPartition partition, long producerId, short producerEpoch, boolean epochBump) {
        return 0;
    }

    /** Completes when everything below {@code offset} is committed; complete on return where nothing need be waited for. */
    CompletionStage<Void> committed(TopicPartition partition, long offset);

    /**
     * As {@link #committed(TopicPartition, long)}, of what was appended under one leader epoch or is in the log at its beginning: under a
     * later one the offset may be another record's, so it fails then.
     */
    default CompletionStage<Void> committed(TopicPartition partition, long offset, int leaderEpoch) {
        return committed(partition, offset);
    }

    /** Hands every batch from the log's start to its end to {@code batches}, in order. Blocks: called on a worker. */
    void replay(TopicPartition partition, Consumer<RecordBatch> batches);

    /** Most bytes that one batch may have. */
    int maxBatchBytes(TopicPartition partition);
}
