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

    /** Completes when everything below {@code offset} is committed; complete on return where nothing need be waited for. */
    CompletionStage<Void> committed(TopicPartition partition, long offset);

    /** Hands every batch from the log's start to its end to {@code batches}, in order. Blocks: called on a worker. */
    void replay(TopicPartition partition, Consumer<RecordBatch> batches);

    /** Most bytes that one batch may have. */
    int maxBatchBytes(TopicPartition partition);
}
