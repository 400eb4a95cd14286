package io.barnabas.partition;

import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.log.AppendTerms;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.ReadResult;
import java.io.IOException;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** One replica: leader or follower of one log. Safe from any thread. */
public interface Partition {
    TopicPartition topicPartition();

    Uuid topicId();

    /**
     * The log.
     *
     * @throws org.apache.kafka.common.errors.KafkaStorageException its directory is offline
     */
    PartitionLog log();

    int leaderEpoch();

    /** Offset up to which records are replicated to the in-sync replicas and readable. */
    long highWatermark();

    /** High watermark, or first offset of the earliest open transaction if that is lower. */
    long lastStableOffset();

    /**
     * Appends as the leader and raises the high watermark as far as the in-sync replicas allow.
     *
     * @param acks -1 checks min.insync.replicas first
     * @throws org.apache.kafka.common.errors.ApiException the protocol's error; nothing was appended
     */
    AppendResult append(MemoryRecords records, AppendOrigin origin, short acks);

    /** The same for transactional batches of clients and for markers of transactions. */
    AppendResult append(MemoryRecords records, AppendOrigin origin, short acks, AppendTerms terms);

    /**
     * Completes when everything below {@code offset} is committed: replicated to every in-sync replica and as durable as the topic asks. Is
     * already complete on return where nothing need be waited for (one replica, durability os). Fails when the partition is no longer led
     * here, deleted or offline.
     */
    CompletionStage<Void> committed(long offset);

    /** Reads as {@link PartitionLog#read} does, up to what the isolation level shows. */
    ReadResult read(long offset, int maxBytes, boolean atLeastOne, boolean readCommitted) throws IOException;

    /** Tells {@code watcher} of everything that may change what a read finds, from now on until the registration is cancelled. */
    Registration watch(Watcher watcher);

    /** Waits for more to read: a long poll. Called on the thread that appends, so it must be short. */
    interface Watcher {
        /**
         * More can be read.
         *
         * @param bytes appended
         */
        void onAdvance(int bytes);

        /** Whether it reads what is not committed too, as followers do, and so waits for appends and not for the high watermark. */
        default boolean readsToLogEnd() {
            return false;
        }

        /** The log start of the leader, or of a follower as it told the leader, has moved. */
        default void onLogStart() {}

        /** Leadership, directory or existence changed: a read will now find an error or another log. */
        void onDisturbance();
    }

    /** Something that can be taken back. */
    interface Registration {
        /** Idempotent; the watcher may still be called once by a thread that is just calling. */
        void cancel();
    }
}
