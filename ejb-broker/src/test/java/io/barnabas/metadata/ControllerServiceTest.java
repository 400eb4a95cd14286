package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AllocateProducerIdsRequestData;
import org.apache.kafka.common.message.AllocateProducerIdsResponseData;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The controller and three brokers that speak to it. */
@NullUnmarked
class ControllerServiceTest {
    private final TestCluster cluster = TestCluster.ofThree();

    @AfterEach
    void stop() {
        cluster.close();
    }

    private BrokerHeartbeatResponseData wantsToStop(int id) {
        return cluster.heartbeat(new BrokerHeartbeatRequestData()
                .setBrokerId(id)
                .setBrokerEpoch(cluster.epoch(id))
                .setCurrentMetadataOffset(cluster.image().index())
                .setWantShutDown(true));
    }

    private void alter(String topic, Integer... isr) {
        int leader = cluster.partition(topic).leader();
        assertThat(cluster.alter(topic, leader, List.of(isr), Map.of()).errorCode())
                .isZero();
    }

    @Test
    void registersFencedAndServesWhenItHasAppliedItsRegistration() {
        // Given
        long epoch = cluster.register(4, -1).brokerEpoch();
        assertThat(epoch).isEqualTo(cluster.image().index());
        assertThat(cluster.broker(4).fenced()).isTrue();
        BrokerHeartbeatRequestData heartbeat =
                new BrokerHeartbeatRequestData().setBrokerId(4).setBrokerEpoch(epoch);
        // When
        BrokerHeartbeatResponseData early = cluster.heartbeat(heartbeat.setCurrentMetadataOffset(epoch - 1));
        // Then
        assertThat(early.isFenced()).isTrue();
        assertThat(early.isCaughtUp()).isFalse();
        // When
        BrokerHeartbeatResponseData caughtUp = cluster.heartbeat(heartbeat.setCurrentMetadataOffset(epoch));
        // Then
        assertThat(caughtUp.isFenced()).isFalse();
        assertThat(cluster.broker(4).fenced()).isFalse();
    }

    @Test
    void refusesBrokersWhenItIsNotTheController() {
        // When
        cluster.metadata.onLeader(2);
        // Then
        assertThat(cluster.heartbeat(2).errorCode()).isEqualTo(Errors.NOT_CONTROLLER.code());
        assertThat(cluster.register(4, -1).errorCode()).isEqualTo(Errors.NOT_CONTROLLER.code());
    }

    @Test
    void refusesASecondBrokerOfAnIdWhileTheFirstIsHeard() {
        // Then
        assertThat(cluster.register(2, -1).errorCode()).isEqualTo(Errors.DUPLICATE_BROKER_REGISTRATION.code());
        // When
        cluster.service().onDisconnected(2);
        // Then
        assertThat(cluster.register(2, -1).errorCode()).isZero();
    }

    @Test
    void restartAfterACleanStopKeepsAReplicaEligibleAndAnUncleanOneDoesNot() {
        // Given
        cluster.topic("a", 1, 2, 3);
        alter("a", 1, 2);
        long epoch = cluster.epoch(2);
        cluster.service().onDisconnected(2);
        // When
        cluster.register(2, epoch);
        // Then
        assertThat(cluster.partition("a").isr()).containsExactly(1);
        assertThat(cluster.partition("a").elr()).containsExactly(2);
        // When
        cluster.service().onDisconnected(2);
        cluster.register(2, epoch); // a mark of an older epoch
        // Then
        assertThat(cluster.partition("a").elr()).isEmpty();
    }

    @Test
    void lastReplicaStandingWaitsForAnEligibleOneAfterAnUncleanRestart() {
        // Given
        cluster.topic("a", 3, 2, 1);
        cluster.pass(3_100, 1, 3);
        alter("a", 3);
        assertThat(cluster.partition("a").elr()).contains(1);
        // When
        cluster.service().onDisconnected(3);
        cluster.register(3, -1);
        cluster.heartbeat(3);
        // Then
        assertThat(cluster.partition("a").leader()).isEqualTo(1);
        assertThat(cluster.partition("a").isr()).containsExactly(1);
        assertThat(cluster.broker(3).fenced()).isFalse();
    }

    @Test
    void grantsOtherInSyncReplicasOnlyToTheLeaderThatKnowsThePresent() {
        // Given
        cluster.topic("a", 1, 2, 3);
        AlterPartitionRequestData.PartitionData stale = new AlterPartitionRequestData.PartitionData()
                .setPartitionIndex(0)
                .setLeaderEpoch(0)
                .setPartitionEpoch(0)
                .setNewIsrWithEpochs(List.of(
                        new AlterPartitionRequestData.BrokerState()
                                .setBrokerId(1)
                                .setBrokerEpoch(cluster.epoch(1)),
                        new AlterPartitionRequestData.BrokerState()
                                .setBrokerId(3)
                                .setBrokerEpoch(cluster.epoch(3))));
        // When
        assertThat(cluster.alter("a", 1, stale).partitionEpoch()).isEqualTo(1);
        // Then
        assertThat(cluster.partition("a").isr()).containsExactly(1, 3);
        assertThat(cluster.alter("a", 1, stale).errorCode()).isEqualTo(Errors.INVALID_UPDATE_VERSION.code());
        assertThat(cluster.alter("a", 3, List.of(3), Map.of()).errorCode()).isEqualTo(Errors.INVALID_REQUEST.code());
        assertThat(cluster.alter("a", 1, stale.setLeaderEpoch(1)).errorCode()).isEqualTo(Errors.NOT_CONTROLLER.code());
        cluster.pass(3_100, 2, 3); // the leader stays: it is the controller's own
        assertThat(cluster.alter("a", 1, List.of(1, 2, 3), Map.of(2, cluster.epoch(2) - 1))
                        .errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        cluster.pass(3_100, 3);
        assertThat(cluster.alter("a", 1, List.of(1, 2, 3), Map.of()).errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        cluster.heartbeat(2);
        assertThat(cluster.alter("a", 1, List.of(1, 2, 3), Map.of()).errorCode())
                .isZero();
    }

    @Test
    void brokerThatStopsGivesUpItsLeadershipsFirstAndMayStopWhenTheOthersKnow() {
        // Given
        cluster.topic("a", 3, 2, 1);
        long before = cluster.image().index();
        // When
        assertThat(wantsToStop(3).shouldShutDown()).isFalse();
        // Then
        assertThat(cluster.broker(3).inControlledShutdown()).isTrue();
        assertThat(cluster.partition("a").leader()).isEqualTo(2);
        assertThat(cluster.partition("a").isr()).containsExactly(2, 1);
        // When
        cluster.heartbeat(new BrokerHeartbeatRequestData()
                .setBrokerId(2)
                .setBrokerEpoch(cluster.epoch(2))
                .setCurrentMetadataOffset(before));
        // Then
        assertThat(wantsToStop(3).shouldShutDown()).isFalse();
        // When
        cluster.heartbeat(2);
        // Then
        assertThat(wantsToStop(3).shouldShutDown()).isTrue();
        assertThat(cluster.broker(3).fenced()).isTrue();
    }

    @Test
    void brokerThatStopsComesBackOnlyByAnotherRegistrationUnderAnyController() {
        // Given
        cluster.topic("a", 3, 2, 1);
        wantsToStop(3);
        // Then
        assertThat(cluster.alter("a", 2, List.of(2, 1, 3), Map.of()).errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        // When another has been the controller meanwhile
        cluster.metadata.onLeader(2);
        cluster.metadata.onLeader(TestCluster.CONTROLLER);
        // Then
        assertThat(cluster.broker(3).inControlledShutdown()).isTrue();
        assertThat(cluster.alter("a", 2, List.of(2, 1, 3), Map.of()).errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        // When it has been fenced, and a heartbeat comes late
        cluster.kill(3);
        // Then
        assertThat(cluster.heartbeat(3).isFenced()).isTrue();
        assertThat(cluster.broker(3).fenced()).isTrue();
        assertThat(cluster.alter("a", 2, List.of(2, 1, 3), Map.of()).errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        // When it has been started again
        cluster.kill(3);
        cluster.join(3);
        // Then
        assertThat(cluster.broker(3).fenced()).isFalse();
        assertThat(cluster.broker(3).inControlledShutdown()).isFalse();
        assertThat(cluster.alter("a", 2, List.of(2, 1, 3), Map.of()).errorCode())
                .isZero();
    }

    @Test
    void endsAMoveWhenTheAddedReplicaIsInSync() {
        // Given
        cluster.join(4);
        Uuid topic = cluster.topic("a", 1, 2, 3);
        TopicImage image = cluster.image().topic(topic);
        cluster.replay(List.of(cluster.rules
                .change(cluster.image(), image, cluster.partition("a"))
                .toReplicas(List.of(4, 2, 3, 1), List.of(4), List.of(1))
                .decide()
                .orElseThrow()));
        // When
        short error = cluster.alter("a", 1, List.of(1, 2, 3, 4), Map.of()).errorCode();
        // Then
        assertThat(error).isEqualTo(Errors.NEW_LEADER_ELECTED.code());
        assertThat(cluster.partition("a").replicas()).containsExactly(4, 2, 3);
        assertThat(cluster.partition("a").leader()).isEqualTo(4);
    }

    @Test
    void givesLeadershipBackToThePreferredReplica() {
        // Given
        cluster.topic("a", 2, 3, 1);
        cluster.kill(2);
        cluster.heartbeat(2);
        alter("a", 3, 1, 2);
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
        // When
        cluster.pass(300_100, 1, 2, 3);
        // Then
        assertThat(cluster.partition("a").leader()).isEqualTo(2);
    }

    @Test
    void allocatesBlocksOfProducerIdsToRegisteredBrokersOnly() {
        // Given
        AllocateProducerIdsRequestData request =
                new AllocateProducerIdsRequestData().setBrokerId(2).setBrokerEpoch(cluster.epoch(2));
        // When
        var first = (AllocateProducerIdsResponseData)
                cluster.service().handle(request).join();
        var second = (AllocateProducerIdsResponseData)
                cluster.service().handle(request).join();
        var stale = (AllocateProducerIdsResponseData)
                cluster.service().handle(request.setBrokerEpoch(0)).join();
        // Then
        assertThat(second.producerIdStart()).isEqualTo(first.producerIdStart() + first.producerIdLen());
        assertThat(stale.errorCode()).isEqualTo(Errors.STALE_BROKER_EPOCH.code());
    }

    @Test
    void takesTheDirectoriesOfReplicasOverAndGivesUpWhatIsInALostOne() {
        // Given
        Uuid topic = cluster.topic("a", 2, 3, 1);
        // When
        short error = assign(2, topic, TestCluster.directory(2));
        // Then
        assertThat(error).isZero();
        assertThat(cluster.partition("a").partitionEpoch()).isZero();
        // When
        assign(2, topic, new Uuid(4_711, 4_711));
        // Then
        assertThat(cluster.partition("a").directories().get(0)).isEqualTo(new Uuid(4_711, 4_711));
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
    }

    @Test
    void aDamagedReplicaIsGivenUpAndComesIntoSyncOnlyWithALogOfItsOwn() {
        // Given
        Uuid topic = cluster.topic("a", 2, 3, 1);
        // When
        short error = assign(2, topic, PartitionRules.LOST_DIRECTORY);
        // Then
        assertThat(error).isZero();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
        assertThat(cluster.partition("a").isr()).containsExactly(3, 1);
        assertThat(PartitionRules.isGivenUp(cluster.partition("a"), 2)).isTrue();
        assertThat(cluster.alter("a", 3, List.of(3, 1, 2), Map.of()).errorCode())
                .isEqualTo(Errors.INELIGIBLE_REPLICA.code());
        // When it is asked again, for the answer was lost
        int epoch = cluster.partition("a").partitionEpoch();
        assertThat(assign(2, topic, PartitionRules.LOST_DIRECTORY)).isZero();
        // Then
        assertThat(cluster.partition("a").partitionEpoch()).isEqualTo(epoch);
        // When
        assign(2, topic, TestCluster.directory(2));
        alter("a", 3, 1, 2);
        // Then
        assertThat(cluster.partition("a").isr()).containsExactly(3, 1, 2);
        assertThat(PartitionRules.isGivenUp(cluster.partition("a"), 2)).isFalse();
    }

    @Test
    void aFollowerThatIsGivenUpBeginsANewLeaderEpochSinceWhatIsKnownOfItIsOfTheOldLog() {
        // Given
        Uuid topic = cluster.topic("a", 2, 3, 1);
        // When
        assign(3, topic, PartitionRules.LOST_DIRECTORY);
        // Then
        assertThat(cluster.partition("a").leader()).isEqualTo(2);
        assertThat(cluster.partition("a").leaderEpoch()).isEqualTo(1);
        assertThat(cluster.partition("a").isr()).containsExactly(2, 1);
    }

    @Test
    void aDamagedReplicaThatIsNeededIsNotGivenUp() {
        // Given
        Uuid topic = cluster.topic("a", 2, 3, 1);
        alter("a", 2);
        var before = cluster.partition("a");
        // When
        short error = assign(2, topic, PartitionRules.LOST_DIRECTORY);
        // Then
        assertThat(error).isEqualTo(Errors.NOT_ENOUGH_REPLICAS.code());
        assertThat(cluster.partition("a")).isEqualTo(before);
        // When it is one that may lead after the last in sync (KIP-966)
        error = assign(1, topic, PartitionRules.LOST_DIRECTORY);
        // Then
        assertThat(error).isEqualTo(Errors.NOT_ENOUGH_REPLICAS.code());
        assertThat(cluster.partition("a")).isEqualTo(before);
    }

    private short assign(int broker, Uuid topic, Uuid directory) {
        AssignReplicasToDirsRequestData request =
                new AssignReplicasToDirsRequestData().setBrokerId(broker).setBrokerEpoch(cluster.epoch(broker));
        AssignReplicasToDirsRequestData.TopicData data =
                new AssignReplicasToDirsRequestData.TopicData().setTopicId(topic);
        data.partitions().add(new AssignReplicasToDirsRequestData.PartitionData().setPartitionIndex(0));
        request.directories()
                .add(new AssignReplicasToDirsRequestData.DirectoryData()
                        .setId(directory)
                        .setTopics(List.of(data)));
        var answer = (AssignReplicasToDirsResponseData)
                cluster.service().handle(request).join();
        return answer.directories().get(0).topics().get(0).partitions().get(0).errorCode();
    }

    @Test
    void brokerThatLosesADirectoryGivesUpWhatWasInIt() {
        // Given
        cluster.topic("a", 2, 3, 1);
        // When
        BrokerHeartbeatResponseData answer = cluster.heartbeat(new BrokerHeartbeatRequestData()
                .setBrokerId(2)
                .setBrokerEpoch(cluster.epoch(2))
                .setCurrentMetadataOffset(cluster.image().index())
                .setOfflineLogDirs(List.of(TestCluster.directory(2))));
        // Then
        assertThat(answer.isFenced()).isTrue(); // it was its only one
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
    }

    private BrokerHeartbeatRequestData heartbeat(int id) {
        return new BrokerHeartbeatRequestData()
                .setBrokerId(id)
                .setBrokerEpoch(cluster.epoch(id))
                .setCurrentMetadataOffset(cluster.image().index());
    }

    @Test
    void brokerThatCannotWriteIsOutOfServiceUntilItCanUnlessItIsTheLast() {
        // Given
        cluster.topic("a", 2, 3, 1);
        // When
        boolean fenced = cluster.heartbeat(heartbeat(2).setWantFence(true)).isFenced();
        // Then
        assertThat(fenced).isTrue();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
        // When the others cannot write either
        cluster.heartbeat(heartbeat(3).setWantFence(true));
        cluster.heartbeat(heartbeat(1).setWantFence(true));
        // Then the last one still shows what it has
        assertThat(cluster.partition("a").leader()).isEqualTo(1);
        // When
        fenced = cluster.heartbeat(heartbeat(2)).isFenced();
        // Then
        assertThat(fenced).isFalse();
    }

    @Test
    void tellsBrokersTheTimeThatMostOfThemHave() {
        // Given
        long now = cluster.clock.wallMillis();
        BrokerHeartbeatRequestData wrong = heartbeat(1);
        BrokerClocks.write(wrong.unknownTaggedFields(), now + 1_000_000_000);
        BrokerHeartbeatRequestData right = heartbeat(2);
        BrokerClocks.write(right.unknownTaggedFields(), now);
        // When
        cluster.heartbeat(wrong);
        BrokerHeartbeatResponseData early = cluster.heartbeat(right);
        right.setBrokerId(3).setBrokerEpoch(cluster.epoch(3));
        cluster.heartbeat(right);
        BrokerHeartbeatResponseData late = cluster.heartbeat(wrong);
        // Then
        assertThat(BrokerClocks.read(early.unknownTaggedFields())).isEmpty();
        assertThat(BrokerClocks.read(late.unknownTaggedFields())).hasValue(now);
    }

    @Test
    void aBrokerAloneOfTwoKnowsTheTimeByTheWitness() {
        // Given two brokers and a node that only votes
        String voters = "1@127.0.0.1:9093,2@127.0.0.1:9094,3@127.0.0.1:9095";
        Map<String, String> config = Map.of(
                "node.id", "1",
                "listeners", "PLAINTEXT://127.0.0.1:9092,BROKER://127.0.0.1:9091",
                "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
                "inter.broker.listener.name", "BROKER",
                "controller.quorum.voters", voters);
        try (TestCluster two = new TestCluster(config, Map.of())) {
            two.join(1);
            two.join(2);
            long now = two.clock.wallMillis();
            BrokerHeartbeatRequestData left = new BrokerHeartbeatRequestData()
                    .setBrokerId(1)
                    .setBrokerEpoch(two.epoch(1))
                    .setCurrentMetadataOffset(two.image().index());
            BrokerClocks.write(left.unknownTaggedFields(), now);
            // When only one broker tells its time
            BrokerHeartbeatResponseData alone = two.heartbeat(left);
            // Then nobody knows it
            assertThat(BrokerClocks.read(alone.unknownTaggedFields())).isEmpty();
            // When the witness does, too
            LocalChannel channel = new LocalChannel(two.service(), two.ticker);
            new WitnessClock(channel, 3, new ControllerService.Time(two.clock, two.ticker)).tell();
            // Then
            assertThat(BrokerClocks.read(two.heartbeat(left).unknownTaggedFields()))
                    .hasValue(now);
            assertThat(two.image().brokers()).extracting(BrokerImage::id).containsExactly(1, 2);
        }
    }

    @Test
    void takesOutABrokerThatIsGoneAndLeavesOneThatRuns() {
        // Given
        cluster.topic("a", 2, 3, 1);
        assertThatThrownBy(() -> cluster.controller
                        .submit("u", image -> BrokerRemoval.decide(cluster.rules, image, 2))
                        .join())
                .hasMessageContaining("stop it first");
        cluster.kill(2);
        // When
        cluster.controller
                .submit("u", image -> BrokerRemoval.decide(cluster.rules, image, 2))
                .join();
        // Then
        assertThat(cluster.image().broker(2)).isEmpty();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
        assertThat(cluster.partition("a").isr()).containsExactly(3, 1);
    }

    @Test
    void nobodyIsEligibleAnyMoreWhenTheNumberThatMustBeInSyncIsAnother() {
        // Given
        cluster.topic("a", 3, 2, 1);
        alter("a", 3);
        assertThat(cluster.partition("a").elr()).containsExactly(1, 2);
        ConfigControl configs = new ConfigControl(cluster.config, Policies.NONE);
        var one = Map.of("min.insync.replicas", new ConfigControl.Alteration(AlterConfigOp.OpType.SET, "1"));
        // When
        ApiError ofBroker = alter(configs, new ConfigResource(ConfigResource.Type.BROKER, "3"), one);
        // Then
        assertThat(ofBroker.error()).isEqualTo(Errors.INVALID_CONFIG);
        assertThat(cluster.partition("a").elr()).containsExactly(1, 2);
        // When
        alter(configs, new ConfigResource(ConfigResource.Type.TOPIC, "a"), one);
        // Then
        assertThat(cluster.partition("a").elr()).isEmpty();
        assertThat(cluster.partition("a").leader()).isEqualTo(3);
    }

    private ApiError alter(
            ConfigControl configs, ConfigResource resource, Map<String, ConfigControl.Alteration> changes) {
        return cluster.controller
                .submit("c", image -> configs.incremental(image, Map.of(resource, changes), false))
                .join()
                .get(resource);
    }
}
