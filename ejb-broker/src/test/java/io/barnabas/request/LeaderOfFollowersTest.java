package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.log.LogConfig;
import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.partition.IsrProposal;
import io.barnabas.partition.IsrProposal.Member;
import io.barnabas.partition.LocalPartition;
import io.barnabas.replication.IsrChanges;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A partition of three replicas as its leader sees them: brokers 2 and 3 fetch, by hand. */
class LeaderOfFollowersTest {
    private static final Uuid TOPIC = new Uuid(7, 3);
    private static final int EPOCH = 4;

    private final DataPathFixture broker = new DataPathFixture();
    private final List<LocalPartition> shouldJoin = new ArrayList<>();

    @BeforeEach
    void registerTheOthers() {
        broker.fetch.whenShouldJoin(shouldJoin::add);
        register(2);
        register(3);
    }

    private void register(int id) {
        broker.metadata.replay(new RegisterBrokerRecord()
                .setBrokerId(id)
                .setIncarnationId(new Uuid(1, id))
                .setFenced(false)
                .setBrokerEpoch(-1)); // the entry's index
    }

    private long brokerEpoch(int id) {
        return broker.metadata.image().broker(id).map(BrokerImage::epoch).orElse(0L);
    }

    private LocalPartition lead(int partitionEpoch, Integer... isr) {
        List<ApiMessage> records = new ArrayList<>();
        if (broker.metadata.image().topic(TOPIC) == null) {
            records.add(new TopicRecord().setName("t").setTopicId(TOPIC));
        }
        records.add(partitionRecord(partitionEpoch, isr));
        broker.metadata.replay(records.toArray(new ApiMessage[0]));
        return partition();
    }

    private static PartitionRecord partitionRecord(int partitionEpoch, Integer... isr) {
        return new PartitionRecord()
                .setTopicId(TOPIC)
                .setPartitionId(0)
                .setReplicas(List.of(TestMetadata.NODE_ID, 2, 3))
                .setIsr(List.of(isr))
                .setLeader(TestMetadata.NODE_ID)
                .setLeaderEpoch(EPOCH)
                .setPartitionEpoch(partitionEpoch)
                .setDirectories(List.of(new Uuid(1, 100), new Uuid(2, 100), new Uuid(3, 100)));
    }

    private static ConfigRecord minInsyncRecord(String value) {
        return new ConfigRecord()
                .setResourceType(ConfigResource.Type.TOPIC.id())
                .setResourceName("t")
                .setName("min.insync.replicas")
                .setValue(value);
    }

    private LocalPartition partition() {
        return Objects.requireNonNull(broker.partitions.partition("t", 0));
    }

    private RecordedAnswer fetch(int follower, long brokerEpoch, long offset, int epoch) {
        FetchRequestData request = new FetchRequestData()
                .setMaxWaitMs(500)
                .setMinBytes(1)
                .setMaxBytes(1 << 20)
                .setSessionEpoch(-1)
                .setReplicaState(new FetchRequestData.ReplicaState()
                        .setReplicaId(follower)
                        .setReplicaEpoch(brokerEpoch));
        request.topics()
                .add(new FetchRequestData.FetchTopic()
                        .setTopicId(TOPIC)
                        .setPartitions(List.of(new FetchRequestData.FetchPartition()
                                .setPartition(0)
                                .setFetchOffset(offset)
                                .setCurrentLeaderEpoch(epoch)
                                .setLastFetchedEpoch(-1)
                                .setPartitionMaxBytes(1 << 20))));
        return broker.sendAsBroker(ApiKeys.FETCH, 15, request);
    }

    private RecordedAnswer fetch(int follower, long offset) {
        return fetch(follower, brokerEpoch(follower), offset, EPOCH);
    }

    private RecordedAnswer produce(int acks, String value) {
        return broker.produce("t", 0, acks, DataPathFixture.records(value));
    }

    private static Errors produced(RecordedAnswer answer) {
        return Errors.forCode(answer.body(ProduceResponseData.class)
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .get(0)
                .errorCode());
    }

    private static PartitionData fetched(RecordedAnswer answer) {
        return answer.body(FetchResponseData.class)
                .responses()
                .get(0)
                .partitions()
                .get(0);
    }

    private void minInsyncReplicas(int least) {
        broker.config = ProduceHandlerTest.withMinInsyncReplicas(LogConfig.defaults(), least);
    }

    @Test
    void acksAllIsAnsweredByTheFetchThatShowsTheLastInSyncReplicaToHaveTheRecord() {
        LocalPartition leader = lead(0, 1, 2, 3);

        RecordedAnswer all = produce(-1, "a");
        fetch(2, 1);
        assertThat(all.given()).isFalse();
        assertThat(leader.highWatermark()).isZero();
        fetch(3, 1);

        assertThat(produced(all)).isEqualTo(Errors.NONE);
        assertThat(leader.highWatermark()).isOne();
    }

    @Test
    void aFollowersWaitIsEndedByAnAppendAndAConsumersByTheHighWatermark() {
        lead(0, 1, 2);
        RecordedAnswer follower = fetch(2, 0);
        RecordedAnswer consumer = broker.send(
                ApiKeys.FETCH,
                15,
                new FetchRequestData()
                        .setMaxWaitMs(500)
                        .setMinBytes(1)
                        .setMaxBytes(1 << 20)
                        .setSessionEpoch(-1)
                        .setTopics(List.of(new FetchRequestData.FetchTopic()
                                .setTopicId(TOPIC)
                                .setPartitions(List.of(new FetchRequestData.FetchPartition()
                                        .setPartition(0)
                                        .setLastFetchedEpoch(-1)
                                        .setPartitionMaxBytes(1 << 20))))));

        produce(1, "a");
        assertThat(fetched(follower).records().sizeInBytes()).isPositive();
        assertThat(consumer.given()).isFalse();
        fetch(2, 1);

        assertThat(fetched(consumer).records().sizeInBytes()).isPositive();
    }

    @Test
    void withTooFewInSyncNothingIsAppendedForAcksAllAndNothingElseIsCommitted() {
        minInsyncReplicas(2);
        LocalPartition leader = lead(0, 1);

        assertThat(produced(produce(-1, "a"))).isEqualTo(Errors.NOT_ENOUGH_REPLICAS);
        assertThat(leader.log().logEndOffset()).isZero();
        produce(1, "b");
        assertThat(leader.highWatermark()).as("KIP-966").isZero();
        fetch(2, 1);
        lead(1, 1, 2);

        assertThat(leader.highWatermark()).isOne();
    }

    @Test
    void aFollowerThatIsToComeInHoldsTheHighWatermarkBeforeItIsIn() {
        LocalPartition leader = lead(0, 1, 2);
        produce(1, "a");
        fetch(2, 1);

        fetch(3, 1);
        assertThat(shouldJoin).containsExactly(leader);
        IsrProposal proposal = Objects.requireNonNull(leader.followers().propose());
        assertThat(proposal.isr())
                .containsExactly(
                        new Member(1, brokerEpoch(1)), new Member(2, brokerEpoch(2)), new Member(3, brokerEpoch(3)));
        broker.ticker.advance(2 * DataPathFixture.LAG_MAX_MS); // it may not be waited for as one that keeps pace
        produce(1, "b");
        fetch(2, 2);
        assertThat(leader.highWatermark()).as("maximal ISR").isOne();

        leader.followers().onRefused(proposal);
        assertThat(leader.highWatermark()).isEqualTo(2);
    }

    /** Grants what is asked for; the metadata will say so later. */
    private IsrChanges granted() {
        IsrChanges changes = new IsrChanges(
                new IsrChanges.Leader(
                        TestMetadata.NODE_ID,
                        () -> brokerEpoch(TestMetadata.NODE_ID),
                        (request, timeoutMs) ->
                                CompletableFuture.completedFuture(grant((AlterPartitionRequestData) request)),
                        DataPathFixture.LAG_MAX_MS,
                        new IsrChanges.Time(broker.ticker, Runnable::run)),
                broker.partitions);
        changes.start();
        return changes;
    }

    private static AlterPartitionResponseData grant(AlterPartitionRequestData request) {
        var wanted = request.topics().get(0).partitions().get(0);
        AlterPartitionResponseData answer = new AlterPartitionResponseData();
        answer.topics()
                .add(new AlterPartitionResponseData.TopicData()
                        .setTopicId(TOPIC)
                        .setPartitions(List.of(new AlterPartitionResponseData.PartitionData()
                                .setLeaderId(TestMetadata.NODE_ID)
                                .setLeaderEpoch(wanted.leaderEpoch())
                                .setPartitionEpoch(wanted.partitionEpoch() + 1)
                                .setIsr(wanted.newIsrWithEpochs().stream()
                                        .map(AlterPartitionRequestData.BrokerState::brokerId)
                                        .toList()))));
        return answer;
    }

    @Test
    void whatTheControllerGrantsIsJudgedByTheMinInsyncReplicasOfTheMetadataThatSaySo() {
        // Given
        minInsyncReplicas(1);
        LocalPartition leader = lead(0, 1, 2);
        fetch(2, 0);
        produce(1, "a");
        // When min.insync.replicas becomes 2, and then the lagging follower leaves, which the controller keeps eligible
        try (IsrChanges changes = granted()) {
            broker.ticker.advance(2 * DataPathFixture.LAG_MAX_MS);
            assertThat(changes.shrinks()).isOne();
            assertThat(leader.highWatermark()).as("with the answer alone").isZero();
            minInsyncReplicas(2);
            broker.metadata.replay(minInsyncRecord("2"), partitionRecord(1, 1).setEligibleLeaderReplicas(List.of(2)));
        }
        // Then nothing is committed that the eligible replica lacks
        assertThat(leader.image().isr()).containsExactly(1);
        assertThat(leader.highWatermark()).isZero();
    }

    @Test
    void fewerMinInsyncReplicasCommitWhatWaited() {
        minInsyncReplicas(2);
        LocalPartition leader = lead(0, 1);
        produce(1, "a");
        assertThat(leader.highWatermark()).isZero();

        minInsyncReplicas(1);
        broker.metadata.replay(minInsyncRecord("1"));

        assertThat(leader.highWatermark()).isOne();
    }

    @Test
    void aMemberThatHasNotFetchedYetIsNamedWithTheEpochThatTheMetadataKnow() {
        LocalPartition leader = lead(0, 1, 2);

        fetch(3, 0);

        assertThat(Objects.requireNonNull(leader.followers().propose()).isr())
                .containsExactly(
                        new Member(1, brokerEpoch(1)), new Member(2, brokerEpoch(2)), new Member(3, brokerEpoch(3)));
    }

    @Test
    void whoAsksForACommitUnderAFormerEpochIsRefusedAndDisturbsNobody() {
        LocalPartition leader = lead(0, 1, 2);
        RecordedAnswer all = produce(-1, "a");

        CompletionStage<Void> former = leader.committed(1, EPOCH - 1);
        assertThat(former.toCompletableFuture()).isCompletedExceptionally();
        assertThat(all.given()).isFalse();
        fetch(2, 1);

        assertThat(produced(all)).isEqualTo(Errors.NONE);
    }

    @Test
    void whoHasNotCaughtUpForTheLagTimeIsToLeave() {
        LocalPartition leader = lead(0, 1, 2, 3);
        produce(1, "a");
        fetch(2, 1);
        assertThat(leader.followers().propose()).isNull();

        broker.ticker.advance(DataPathFixture.LAG_MAX_MS + 1);
        fetch(2, 1);

        assertThat(Objects.requireNonNull(leader.followers().propose()).isr())
                .extracting(Member::brokerId)
                .containsExactly(1, 2);
    }

    @Test
    void clientsOfALeaderThatIsCutOffAreSentElsewhereAndCoordinatorsWaitOn() {
        // Given
        LocalPartition leader = lead(0, 1, 2);
        fetch(2, 0);
        TestConnection client = broker.connection();
        RecordedAnswer waiting = broker.send(
                ApiKeys.PRODUCE, 11, DataPathFixture.produceRequest("t", 0, -1, DataPathFixture.records("a")), client);
        CompletableFuture<Void> coordinator = leader.committed(1, EPOCH).toCompletableFuture();
        broker.ticker.advance(501);
        // When only its replicas are silent
        assertThat(leader.followers().lookIfCutOff(false, 500)).isFalse();
        // Then
        assertThat(waiting.given()).isFalse();
        // When the controller is, too
        assertThat(leader.followers().lookIfCutOff(true, 500)).isTrue();
        // Then
        assertThat(produced(waiting)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(client.finished()).isTrue();
        assertThat(coordinator).isNotDone();
        assertThat(produced(produce(-1, "b"))).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(leader.log().logEndOffset()).isOne();
        assertThat(produced(produce(1, "c"))).isEqualTo(Errors.NONE);
        // When it is not cut off any more
        fetch(2, 2);
        assertThat(leader.followers().lookIfCutOff(true, 500)).isFalse();
        // Then
        assertThat(coordinator).isCompleted();
        RecordedAnswer again = produce(-1, "d");
        fetch(2, 3);
        assertThat(produced(again)).isEqualTo(Errors.NONE);
    }

    @Test
    void aLeaderThatIsAloneInSyncIsNotCutOff() {
        LocalPartition leader = lead(0, 1);
        broker.ticker.advance(10_000);

        assertThat(leader.followers().lookIfCutOff(true, 500)).isFalse();

        assertThat(produced(produce(-1, "a"))).isEqualTo(Errors.NONE);
    }

    @Test
    void fetchesOfAnEarlierLifeOfABrokerOrOfAnotherEpochSayNothing() {
        LocalPartition leader = lead(0, 1, 2);
        produce(1, "a");
        long before = brokerEpoch(2);
        register(2);

        assertThat(fetched(fetch(2, before, 1, EPOCH)).errorCode()).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
        assertThat(fetched(fetch(2, brokerEpoch(2), 1, EPOCH - 1)).errorCode())
                .isEqualTo(Errors.FENCED_LEADER_EPOCH.code());
        assertThat(leader.highWatermark()).isZero();
        fetch(2, 1);

        assertThat(leader.highWatermark()).isOne();
    }
}
