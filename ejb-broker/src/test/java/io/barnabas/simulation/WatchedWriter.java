package io.barnabas.simulation;

import io.barnabas.coordinator.PartitionWriter;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Remembers whether an append of the coordinator was refused: a group that became empty then is so in memory alone. */
final class WatchedWriter implements PartitionWriter {
    private final PartitionWriter real;
    private boolean refused;

    WatchedWriter(PartitionWriter real) {
        this.real = real;
    }

    boolean hasRefused() {
        return refused;
    }

    @Override
    public long append(TopicPartition partition, int leaderEpoch, MemoryRecords records) {
        try {
            return real.append(partition, leaderEpoch, records);
        } catch (ApiException e) {
            refused = true;
            throw e;
        }
    }

    @Override
    public CompletionStage<Void> committed(TopicPartition partition, long offset) {
        return real.committed(partition, offset);
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
