package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersResponseData.PartitionResult;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What operators do to a cluster of several brokers. */
@NullUnmarked
class ClusterOperationsTest {
    private TestCluster cluster = TestCluster.ofThree();

    @AfterEach
    void stop() {
        cluster.close();
    }

    private TopicControl topics() {
        ConfigControl configs = new ConfigControl(cluster.config, Policies.NONE);
        return new TopicControl(cluster.config, configs, Policies.NONE, Uuid::randomUuid, new Random(4));
    }

    private void createTopic(String name, int partitions, short factor) {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics()
                .add(new CreateTopicsRequestData.CreatableTopic()
                        .setName(name)
                        .setNumPartitions(partitions)
                        .setReplicationFactor(factor));
        cluster.controller.submit("t", image -> topics().create(image, request)).join();
    }

    private Errors addPartitions(String name, int count) {
        CreatePartitionsRequestData request = new CreatePartitionsRequestData();
        request.topics()
                .add(new CreatePartitionsRequestData.CreatePartitionsTopic()
                        .setName(name)
                        .setCount(count)
                        .setAssignments(null));
        return Errors.forCode(cluster.controller
                .submit("p", image -> topics().createPartitions(image, request))
                .join()
                .get(0)
                .errorCode());
    }

    private Errors elect(String topic, ElectionType type) {
        ElectLeadersRequestData request = new ElectLeadersRequestData().setElectionType(type.value);
        request.topicPartitions()
                .add(new ElectLeadersRequestData.TopicPartitions()
                        .setTopic(topic)
                        .setPartitions(List.of(0)));
        PartitionResult result = cluster.controller
                .submit("e", image -> LeaderElection.decide(cluster.rules, image, request))
                .join()
                .replicaElectionResults()
                .get(0)
                .partitionResult()
                .get(0);
        return Errors.forCode(result.errorCode());
    }

    @Test
    void partitionsThatAreAddedLieInAsManyRacksAsThereAre() {
        // Given
        cluster.close();
        cluster = new TestCluster(Map.of(), Map.of(PartitionRules.ELIGIBLE_LEADERS, (short) 1));
        cluster.join(1, "a");
        cluster.join(2, "a");
        cluster.join(3, "b");
        createTopic("t", 1, (short) 2);
        // When
        assertThat(addPartitions("t", 10)).isEqualTo(Errors.NONE);
        // Then
        List<PartitionImage> partitions = cluster.image().topic("t").partitions();
        assertThat(partitions).hasSize(10).allSatisfy(partition -> {
            assertThat(partition.replicas()).hasSize(2).contains(3); // the only one of its rack
            assertThat(partition.isr()).isEqualTo(partition.replicas());
            assertThat(partition.leader()).isEqualTo(partition.replicas().get(0));
        });
        assertThat(new HashSet<>(partitions.stream().map(PartitionImage::leader).toList()))
                .containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void theBrokersOfARackHaveAsManyReplicasOfATopicEach() {
        // Given
        cluster.close();
        cluster = new TestCluster(Map.of(), Map.of(PartitionRules.ELIGIBLE_LEADERS, (short) 1));
        List<String> racks = List.of("a", "b", "b", "a", "c", "c");
        for (int id = 1; id <= racks.size(); id++) {
            cluster.join(id, racks.get(id - 1));
        }
        for (int i = 0; i < 6; i++) { // the leaders begin anywhere
            // When
            createTopic("t" + i, 18, (short) 3);
            // Then
            int[] replicas = new int[racks.size()];
            for (PartitionImage partition : cluster.image().topic("t" + i).partitions()) {
                assertThat(partition.replicas().stream().map(id -> racks.get(id - 1)))
                        .containsExactlyInAnyOrder("a", "b", "c");
                partition.replicas().forEach(id -> replicas[id - 1]++);
            }
            assertThat(replicas).containsOnly(9);
        }
    }

    @Test
    void aBrokerThatIsOutOfServiceIsGivenNewReplicasOnlyIfThereAreNotEnoughOthers() {
        // Given
        cluster.join(4);
        cluster.kill(4);
        assertThat(cluster.broker(4).fenced()).isTrue();
        // When
        createTopic("three", 12, (short) 3);
        createTopic("four", 12, (short) 4);
        // Then
        assertThat(cluster.image().topic("three").partitions())
                .hasSize(12)
                .allSatisfy(partition -> assertThat(partition.replicas()).containsExactlyInAnyOrder(1, 2, 3));
        assertThat(cluster.image().topic("four").partitions())
                .hasSize(12)
                .allSatisfy(
                        partition -> assertThat(partition.replicas()).hasSize(4).endsWith(4));
    }

    @Test
    void whoLedLastDoesNotLeadAgainOnAnEmptyDiskWhileThereIsAnotherReplica() {
        // Given
        Uuid topic = cluster.topic("t", 2, 3);
        cluster.kill(3);
        cluster.register(3, -1);
        cluster.replay(List.of(new PartitionChangeRecord()
                .setTopicId(topic)
                .setPartitionId(0)
                .setDirectories(List.of(new Uuid(5, 5), TestCluster.directory(3)))));
        cluster.kill(2);
        assertThat(cluster.partition("t").elr()).containsExactly(2);
        assertThat(cluster.partition("t").lastKnownElr()).containsExactly(2);
        // When
        cluster.join(2);
        // Then an operator may choose the other one, which has some of the records
        assertThat(cluster.partition("t").leader()).isEqualTo(-1);
        assertThat(cluster.partition("t").lastKnownElr()).isEmpty();
    }

    @Test
    void replicaWhoseDirectoryWasTakenAwayMayNotLeadThoughItsBrokerStoppedCleanly() {
        // Given
        Uuid topic = cluster.topic("t", 2, 3);
        cluster.kill(3);
        cluster.replay(List.of(new PartitionChangeRecord()
                .setTopicId(topic)
                .setPartitionId(0)
                .setDirectories(List.of(new Uuid(5, 5), TestCluster.directory(3)))));
        cluster.kill(2);
        assertThat(cluster.partition("t").elr()).containsExactlyInAnyOrder(2, 3);
        // When
        assertThat(cluster.register(2, cluster.epoch(2)).errorCode()).isZero();
        // Then
        assertThat(cluster.partition("t").isr()).isEmpty();
        assertThat(cluster.partition("t").elr()).containsExactly(3);
    }

    @Test
    void partitionThatIsAddedWhileABrokerIsAwayIsLedByAnother() {
        // Given
        createTopic("t", 1, (short) 3);
        cluster.kill(2);
        // When
        assertThat(addPartitions("t", 7)).isEqualTo(Errors.NONE);
        // Then
        assertThat(cluster.image().topic("t").partitions().subList(1, 7)).allSatisfy(partition -> {
            assertThat(partition.replicas()).containsExactlyInAnyOrder(1, 2, 3);
            assertThat(partition.isr()).containsExactlyInAnyOrder(1, 3);
            assertThat(partition.leader()).isNotEqualTo(2);
        });
    }

    @Test
    void preferredLeaderIsElectedOnRequestOnceItIsInSync() {
        // Given
        cluster.topic("t", 2, 3, 1);
        assertThat(elect("t", ElectionType.PREFERRED)).isEqualTo(Errors.ELECTION_NOT_NEEDED);
        cluster.kill(2);
        assertThat(cluster.partition("t").leader()).isEqualTo(3);
        assertThat(elect("t", ElectionType.PREFERRED)).isEqualTo(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
        // When
        cluster.join(2);
        assertThat(elect("t", ElectionType.PREFERRED)).isEqualTo(Errors.PREFERRED_LEADER_NOT_AVAILABLE);
        cluster.alter("t", 3, List.of(3, 1, 2), Map.of());
        // Then
        assertThat(elect("t", ElectionType.PREFERRED)).isEqualTo(Errors.NONE);
        assertThat(cluster.partition("t").leader()).isEqualTo(2);
        assertThat(cluster.partition("t").isr()).containsExactlyInAnyOrder(1, 2, 3);
    }

    @Test
    void uncleanLeaderIsElectedOnRequestAndMarkedUntilItGoesOn() {
        // Given
        cluster.topic("t", 2, 3);
        cluster.alter("t", 2, List.of(2), Map.of());
        cluster.kill(3);
        cluster.join(3);
        assertThat(elect("t", ElectionType.UNCLEAN)).isEqualTo(Errors.ELECTION_NOT_NEEDED);
        cluster.kill(2);
        assertThat(cluster.partition("t").leader()).isEqualTo(-1);
        // When
        assertThat(elect("t", ElectionType.UNCLEAN)).isEqualTo(Errors.NONE);
        // Then
        assertThat(cluster.partition("t").leader()).isEqualTo(3);
        assertThat(cluster.partition("t").isr()).containsExactly(3);
        assertThat(cluster.partition("t").recovering()).isTrue();
        // When
        cluster.join(2);
        cluster.alter("t", 3, List.of(3, 2), Map.of());
        // Then
        assertThat(cluster.partition("t").recovering()).isFalse();
    }

    @Test
    void brokerThatWasTakenOutComesBackAsANewOneAndIsInSyncOnlyWhenItsLeaderSaysSo() {
        // Given
        cluster.topic("t", 2, 3, 1);
        long former = cluster.epoch(2);
        cluster.kill(2);
        cluster.controller
                .submit("u", image -> BrokerRemoval.decide(cluster.rules, image, 2))
                .join();
        assertThat(cluster.image().broker(2)).isEmpty();
        assertThat(cluster.partition("t").replicas()).contains(2);
        // When
        cluster.register(2, former); // its mark is of a broker that is no more
        cluster.heartbeat(2);
        // Then
        assertThat(cluster.epoch(2)).isGreaterThan(former);
        assertThat(cluster.broker(2).fenced()).isFalse();
        assertThat(cluster.partition("t").isr()).containsExactly(3, 1);
        assertThat(cluster.partition("t").elr()).isEmpty();
        assertThat(cluster.alter("t", 3, List.of(3, 1, 2), Map.of(2, former)).errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        assertThat(cluster.alter("t", 3, List.of(3, 1, 2), Map.of()).errorCode())
                .isZero();
    }
}
