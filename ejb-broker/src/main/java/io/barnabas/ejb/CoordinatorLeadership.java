package io.barnabas.ejb;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.partition.LeadershipListener;
import io.barnabas.partition.Partition;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;

/**
 * The coordinators' shards follow the partitions of their topics, once all that they will load is committed: what a former leader had
 * not brought to the others might be taken back, and must not have been told to anybody. Told by the partitions, tells the coordinators.
 * Safe from any thread.
 */
final class CoordinatorLeadership implements LeadershipListener {
    private final GroupCoordinator groups;
    private final TransactionCoordinator transactions;
    private final Map<TopicPartition, Integer> led = new HashMap<>(); // epochs; guarded by this

    CoordinatorLeadership(GroupCoordinator groups, TransactionCoordinator transactions) {
        this.groups = groups;
        this.transactions = transactions;
    }

    @Override
    public void onLeader(Partition partition, int leaderEpoch) {
        if (isCoordinators(partition.topicPartition().topic())) {
            synchronized (this) {
                led.put(partition.topicPartition(), leaderEpoch);
            }
            var unused = partition
                    .committed(partition.log().logEndOffset())
                    .thenRun(() -> onCommitted(partition.topicPartition(), leaderEpoch));
        }
    }

    private synchronized void onCommitted(TopicPartition partition, int leaderEpoch) {
        if (!Objects.equals(led.get(partition), leaderEpoch)) {
            return; // lost meanwhile
        }
        if (partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
            groups.onElected(partition.partition(), leaderEpoch);
        } else {
            transactions.onElected(partition.partition(), leaderEpoch);
        }
    }

    @Override
    public synchronized void onResigned(TopicPartition partition, int leaderEpoch) {
        if (led.remove(partition) == null) {
            return;
        }
        if (partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
            groups.onResigned(partition.partition());
        } else {
            transactions.onResigned(partition.partition());
        }
    }

    private static boolean isCoordinators(String topic) {
        return topic.equals(Topic.GROUP_METADATA_TOPIC_NAME) || topic.equals(Topic.TRANSACTION_STATE_TOPIC_NAME);
    }
}
