package io.barnabas.partition;

import java.util.Collection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The partitions that have a replica on this broker; follows the metadata image. Safe from any thread, lock-free to read. */
public interface PartitionRegistry {
    Collection<? extends Partition> partitions();

    @Nullable
    Partition partition(TopicPartition partition);

    @Nullable
    Partition partition(Uuid topicId, int partition);

    /**
     * The partition, if this broker leads it.
     *
     * @throws org.apache.kafka.common.errors.UnknownTopicOrPartitionException no such partition in the metadata
     * @throws org.apache.kafka.common.errors.NotLeaderOrFollowerException it is led elsewhere
     * @throws org.apache.kafka.common.errors.KafkaStorageException its directory is offline
     */
    Partition leader(TopicPartition partition);

    /** Tells of partitions that this broker begins or ceases to lead; called on the metadata thread, once at once for all present ones. */
    void onLeadership(LeadershipListener listener);

    /** Coordinators load and unload their shards by it. */
    interface LeadershipListener {
        void onLeader(Partition partition, int leaderEpoch);

        void onResigned(TopicPartition partition, int leaderEpoch);
    }
}
