package io.barnabas.partition;

import io.barnabas.coordinator.PartitionWriter;
import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendTerms;
import io.barnabas.log.LogSlice;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.ReadResult;
import java.io.IOException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;

/** The coordinators' way to the partitions of this broker. Safe from any thread. */
public final class LocalPartitionWriter implements PartitionWriter {
    private static final int REPLAY_BYTES = 1 << 20;
    private static final short ACKS_ALL = -1;

    private final LocalPartitions partitions;

    public LocalPartitionWriter(LocalPartitions partitions) {
        this.partitions = partitions;
    }

    @Override
    public long append(TopicPartition partition, int leaderEpoch, MemoryRecords records) {
        return append(partition, leaderEpoch, records, AppendTerms.NONE);
    }

    @Override
    public long appendGuarded(TopicPartition partition, int leaderEpoch, MemoryRecords records, long guard) {
        return append(partition, leaderEpoch, records, AppendTerms.guarded(guard));
    }

    @Override
    public long appendMarker(
            TopicPartition partition, int leaderEpoch, MemoryRecords marker, short transactionVersion) {
        return append(partition, leaderEpoch, marker, AppendTerms.marker(transactionVersion));
    }

    private long append(TopicPartition partition, int leaderEpoch, MemoryRecords records, AppendTerms terms) {
        return partitions
                        .leader(partition)
                        .append(records, AppendOrigin.COORDINATOR, ACKS_ALL, leaderEpoch, terms)
                        .lastOffset()
                + 1;
    }

    @Override
    public long beginVerification(TopicPartition partition, long producerId, short producerEpoch, boolean epochBump) {
        return partitions.leader(partition).beginVerification(producerId, producerEpoch, 0, epochBump);
    }

    @Override
    public CompletionStage<Void> committed(TopicPartition partition, long offset) {
        return partitions.leader(partition).committed(offset);
    }

    @Override
    public CompletionStage<Void> committed(TopicPartition partition, long offset, int leaderEpoch) {
        return partitions.leader(partition).committed(offset, leaderEpoch);
    }

    @Override
    public void replay(TopicPartition partition, Consumer<RecordBatch> batches) {
        PartitionLog log = partitions.leader(partition).log();
        long end = log.logEndOffset();
        long offset = log.logStartOffset();
        try {
            while (offset < end) {
                ReadResult read = log.read(offset, REPLAY_BYTES, end, true, false);
                long next = replay(read.records(), offset, batches);
                if (next <= offset) {
                    throw new KafkaStorageException("Nothing to read at offset " + offset + " of " + partition);
                }
                offset = next;
            }
        } catch (IOException e) {
            throw new KafkaStorageException("Could not read " + partition + " at offset " + offset, e);
        }
    }

    private static long replay(BaseRecords records, long from, Consumer<RecordBatch> batches) throws IOException {
        MemoryRecords memory;
        if (records instanceof LogSlice slice) {
            try {
                memory = slice.toMemory();
            } finally {
                slice.release();
            }
        } else {
            memory = (MemoryRecords) records;
        }
        long next = from;
        for (MutableRecordBatch batch : memory.batches()) {
            if (batch.lastOffset() >= from) {
                batch.ensureValid();
                batches.accept(batch);
            }
            next = batch.nextOffset();
        }
        return next;
    }

    @Override
    public int maxBatchBytes(TopicPartition partition) {
        return partitions.leader(partition).log().config().maxMessageBytes();
    }
}
