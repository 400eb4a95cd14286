package io.barnabas.partition;

import org.apache.kafka.common.TopicPartition;

/** Told of partitions that this broker begins or ceases to lead: coordinators load and unload their shards by it. */
public interface LeadershipListener {
    void onLeader(Partition partition, int leaderEpoch);

    void onResigned(TopicPartition partition, int leaderEpoch);
}
