package io.barnabas.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.metadata.TestMetadata;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Logs that a broker finds at its start and has no replica for. */
class StrayLogsTest {
    private static final Uuid TOPIC = new Uuid(7, 7);
    private static final int ELSEWHERE = TestMetadata.NODE_ID + 1;

    private final TestMetadata metadata = new TestMetadata();
    private final MemoryLogs logs = new MemoryLogs();
    private final LocalPartitions partitions = new LocalPartitions(
            TestMetadata.NODE_ID, logs, (topic, image) -> LogConfig.defaults(), metadata.metadata(), Runnable::run);

    @BeforeEach
    void aTopicWithOnePartitionHereAndOneElsewhere() {
        metadata.replay(
                new TopicRecord().setName("t").setTopicId(TOPIC),
                partition(0, TestMetadata.NODE_ID),
                partition(1, ELSEWHERE));
    }

    private static PartitionRecord partition(int number, int broker) {
        return new PartitionRecord()
                .setTopicId(TOPIC)
                .setPartitionId(number)
                .setReplicas(List.of(broker))
                .setIsr(List.of(broker))
                .setLeader(broker)
                .setLeaderEpoch(0)
                .setPartitionEpoch(0)
                .setDirectories(List.of(new Uuid(1, 100)));
    }

    private TopicPartition present(String topic, int partition, Uuid id) {
        TopicPartition name = new TopicPartition(topic, partition);
        logs.openOrCreate(name, id, LogConfig.defaults(), null);
        return name;
    }

    @Test
    void theLogOfATopicThatWasDeletedMeanwhileIsSetAside() {
        present("t", 0, TOPIC);
        TopicPartition deleted = present("deleted", 0, new Uuid(8, 8));

        partitions.start();

        assertThat(logs.setAside()).containsExactly(deleted);
    }

    @Test
    void theLogOfAPartitionThatHasItsReplicasElsewhereNowIsSetAside() {
        TopicPartition moved = present("t", 1, TOPIC);

        partitions.start();

        assertThat(logs.setAside()).containsExactly(moved);
    }

    @Test
    void aLogThatBearsNoTopicsIdWaitsForOneOfItsName() {
        TopicPartition brought = present("brought", 0, Uuid.ZERO_UUID);

        partitions.start();

        assertThat(logs.log(brought)).isPresent();
    }
}
