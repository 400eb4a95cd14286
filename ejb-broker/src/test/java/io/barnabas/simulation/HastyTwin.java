package io.barnabas.simulation;

import io.barnabas.coordinator.PartitionWriter;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Broken: the coordinator answers first and appends later. */
final class HastyTwin extends Product {
    @Override
    PartitionWriter writer(PartitionWriter real, LogEnds ends, Executor later) {
        Map<TopicPartition, Long> promised = new HashMap<>();
        return new PartitionWriter() {
            @Override
            public long append(TopicPartition partition, int leaderEpoch, MemoryRecords records) {
                ByteBuffer copy = ByteBuffer.allocate(records.sizeInBytes());
                copy.put(records.buffer().duplicate()).flip();
                long count = 0;
                for (RecordBatch batch : records.batches()) {
                    count += batch.lastOffset() - batch.baseOffset() + 1;
                }
                long end = Math.max(ends.of(partition), promised.getOrDefault(partition, 0L)) + count;
                promised.put(partition, end);
                later.execute(() -> {
                    try {
                        real.append(partition, leaderEpoch, MemoryRecords.readableRecords(copy));
                    } catch (ApiException e) {
                        promised.remove(partition);
                    }
                });
                return end;
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
        };
    }
}
