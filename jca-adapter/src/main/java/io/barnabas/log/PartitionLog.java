package io.barnabas.log;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * One replica's log: a sequence of segments. Knows offsets, epochs and producers; knows nothing of leaders, replicas or high
 * watermarks other than the offsets it is told.
 *
 * <p>Threads: appends, truncations and reconfigurations take the log's lock; reads and offset getters take none.
 */
public interface PartitionLog {
    TopicPartition topicPartition();

    Uuid topicId();

    DataDirectory directory();

    LogConfig config();

    /** Takes new settings from the next append or clean on. */
    void reconfigure(LogConfig config);

    /**
     * Appends one batch (origin CLIENT, exactly one) or several (others). The buffer is read (its base offset, leader epoch, and under
     * LogAppendTime its timestamp are stamped in place) and not kept.
     *
     * <p>Checks are those of a Kafka broker on Produce; a failed check throws the matching
     * {@link org.apache.kafka.common.errors.ApiException} and appends nothing.
     *
     * @param leaderEpoch stamped into the batches; for REPLICATION, which keeps offsets and epochs, the epoch they were fetched under:
     *     batches of a later one are left off, so that fewer bytes may be appended than came
     * @throws io.barnabas.log.LogStorageException if the disk failed: the directory is offline from then on
     */
    AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch);

    /** As {@link #append(MemoryRecords, AppendOrigin, int)}, for transactional batches of clients and for markers. */
    default AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch, AppendTerms terms) {
        return append(records, origin, leaderEpoch);
    }

    /**
     * A producer is about to write to this log in a transaction: the caller now asks the transaction's coordinator. Until the first batch
     * or a marker of the producer is appended, what this returns stands for that question, so that an answer to it cannot let a batch into
     * a later transaction (KIP-890).
     *
     * @param baseSequence of the batch: none with a higher sequence comes before it
     * @param epochBump the producer gets a new epoch with every transaction (TV2)
     * @return the guard to append with, or {@link AppendTerms#NO_GUARD} if the transaction is open here already
     * @throws org.apache.kafka.common.errors.InvalidProducerEpochException a later epoch of the producer is known here
     */
    default long beginVerification(long producerId, short producerEpoch, int baseSequence, boolean epochBump) {
        return AppendTerms.TRUSTED;
    }

    /**
     * Completes when everything below {@code offset} is as durable as the topic asks: at once under {@link LogConfig.Durability#OS},
     * after a group-committed force under FSYNC (completed on a thread of the log).
     */
    CompletableFuture<Void> durable(long offset);

    /**
     * Reads from {@code offset} up to but not including {@code upTo}.
     *
     * @param maxBytes at most so many bytes, at batch boundaries of the index's granularity
     * @param atLeastOne return the first batch even if it is larger
     * @param aborted list aborted transactions of the range
     * @throws org.apache.kafka.common.errors.OffsetOutOfRangeException below the log start offset or above the log end offset
     */
    ReadResult read(long offset, int maxBytes, long upTo, boolean atLeastOne, boolean aborted) throws IOException;

    long logStartOffset();

    /** The offset of the next record. */
    long logEndOffset();

    /** First offset of the earliest open transaction, or the log end offset. */
    long firstUnstableOffset();

    /** Everything below is forced. */
    long recoveryPoint();

    long sizeInBytes();

    int segmentCount();

    /** Epoch of the last batch, if any. */
    OptionalInt latestEpoch();

    /** Records the start of an epoch at the log end offset, forced, before the new leader's first append (KIP-101). */
    void onLeaderEpoch(int epoch);

    /** KIP-101/279: the largest known epoch at most {@code epoch} and its end offset; epoch -1 and offset -1 if unknown. */
    EpochEnd endOffsetFor(int epoch);

    /** The leader epoch of the record at {@code offset}, if known. */
    OptionalInt epochAt(long offset);

    /** First record with a timestamp at least {@code timestamp}, below {@code upTo}. */
    Optional<TimestampOffset> offsetForTimestamp(long timestamp, long upTo) throws IOException;

    /** The record with the greatest timestamp (ListOffsets -3), below {@code upTo}. */
    Optional<TimestampOffset> maxTimestamp(long upTo) throws IOException;

    /** DeleteRecords: moves the log start offset up to {@code offset}; returns the new one. */
    long deleteRecordsBefore(long offset);

    /** Drops everything from {@code offset} on. */
    void truncateTo(long offset);

    /** Drops everything and starts again at {@code offset}. */
    void truncateFully(long offset);

    /** Producers with state in this log (DescribeProducers). */
    List<ProducerInfo> activeProducers();

    /** Forces everything. */
    void flush();

    /**
     * What deletes and rolls may touch: the high watermark; told by the partition, from any thread in any order, the greatest counts until
     * a truncation. Below the log end offset nothing above it is deleted.
     */
    void onHighWatermark(long offset);

    /** The high watermark as told; before that as the last process wrote it, though never above what the log has. */
    long highWatermark();

    /** An epoch and the offset after its last record. */
    record EpochEnd(int epoch, long endOffset) {}

    /** A record found by time. */
    record TimestampOffset(long timestamp, long offset, OptionalInt leaderEpoch) {}

    /** A producer as DescribeProducers shows it; -1 for what is unknown. */
    record ProducerInfo(
            long producerId,
            short producerEpoch,
            int lastSequence,
            long lastTimestamp,
            int coordinatorEpoch,
            long currentTransactionStartOffset) {}
}
