package io.barnabas.simulation;

import io.barnabas.coordinator.PartitionWriter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Broken: what has been appended is taken for committed. */
record HastyWriter(PartitionWriter real) implements PartitionWriter {
    @Override
    public long append(TopicPartition partition, int leaderEpoch, MemoryRecords records) {
        return real.append(partition, leaderEpoch, records);
    }

    @Override
    public CompletionStage<Void> committed(TopicPartition partition, long offset) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void replay(TopicPartition partition, Consumer<RecordBatch> batches) {
        real.replay(partition, batches);
    }

    @Override
    public int maxBatchBytes(TopicPartition partition) {
        return real.maxBatchBytes(partition);
    }
}
