package io.barnabas.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.metadata.TestMetadata;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A data directory that fails while the partitions in it follow the metadata. */
class FailingDirectoryTest {
    private static final Uuid TOPIC = new Uuid(7, 7);

    private final TestMetadata metadata = new TestMetadata();
    private final MemoryLogs logs = new MemoryLogs();
    private final List<String> told = new ArrayList<>();
    private final LocalPartitions partitions = new LocalPartitions(
            TestMetadata.NODE_ID, logs, (topic, image) -> LogConfig.defaults(), metadata.metadata(), Runnable::run);

    @BeforeEach
    void start() {
        partitions.start();
        partitions.onLeadership(new LeadershipListener() {
            @Override
            public void onLeader(Partition partition, int leaderEpoch) {
                told.add("began " + leaderEpoch);
            }

            @Override
            public void onResigned(TopicPartition partition, int leaderEpoch) {
                told.add("resigned");
            }
        });
    }

    private LocalPartition partition() {
        @Nullable LocalPartition partition = partitions.partition(TOPIC, 0);
        if (partition == null) {
            throw new AssertionError("no partition");
        }
        return partition;
    }

    private void create() {
        metadata.replay(
                new TopicRecord().setName("t").setTopicId(TOPIC),
                new PartitionRecord()
                        .setTopicId(TOPIC)
                        .setPartitionId(0)
                        .setReplicas(List.of(TestMetadata.NODE_ID))
                        .setIsr(List.of(TestMetadata.NODE_ID))
                        .setLeader(TestMetadata.NODE_ID)
                        .setLeaderEpoch(0)
                        .setPartitionEpoch(0)
                        .setDirectories(List.of(new Uuid(1, 100))));
    }

    @Test
    void aDirectoryThatFailsBeforeThePartitionHasItsLogLeavesThePartitionOfflineAndNotLeading() {
        logs.afterNextOpen(logs::fail);

        create();

        assertThat(partition().online()).isFalse();
        assertThat(partition().leads()).isFalse();
        assertThat(told).isEmpty();
    }

    @Test
    void ofALeadershipWhoseDirectoryFailedBeforeItWasToldOnlyTheEndIsTold() {
        // Given a new epoch of its leadership, in the midst of which the directory fails
        create();
        partition().committed(1).whenComplete((done, disturbed) -> logs.fail());

        // When
        metadata.replay(
                new PartitionChangeRecord().setTopicId(TOPIC).setPartitionId(0).setLeader(TestMetadata.NODE_ID));

        // Then
        assertThat(partition().leads()).isFalse();
        assertThat(told).containsExactly("began 0", "resigned");
    }
}
