package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.MemoryPartitionWriter;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.coordinator.group.TestConsumerGroups;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.metadata.TopicImage;
import io.barnabas.wire.RequestFrame;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The group APIs in every version: that the answer can be written, that topics are found by name or id, how old versions differ. */
class GroupHandlersTest {
    private final DataPathFixture broker = new DataPathFixture();
    private final MemoryPartitionWriter log = new MemoryPartitionWriter();
    private final GroupCoordinator groups = new GroupCoordinator(
            GroupCoordinatorSettings.defaults(),
            TestConsumerGroups::defaults,
            new Environment(broker.ticker, broker.ticker, Runnable::run, log),
            new GroupCoordinator.Cluster(() -> 1, broker.metadata::image),
            name -> name + "-x");
    private final Set<Integer> silent = new HashSet<>();
    private final HandlerRegistry handlers = new HandlerRegistry()
            .add(GroupHandlers.all(groups, broker.metadata.metadata(), () -> true))
            .add(new FindCoordinatorHandler(
                    groups::partitionFor, id -> 0, broker.metadata.metadata(), creation(), () -> silent));
    private final Uuid topicId = broker.createTopic("t", 2);

    GroupHandlersTest() {
        groups.onElected(0, 0);
    }

    private AutoTopicCreation creation() {
        LiveConfig config = new LiveConfig(BrokerConfig.of(Map.of()));
        return new AutoTopicCreation(new ControlPlane(
                TestMetadata.NODE_ID,
                broker.metadata.metadata(),
                broker.metadata.controller(),
                AtTheController.nothingIsForwarded(),
                config,
                ControlPlane.Rules.of(config, Policies.NONE, new Random(1)),
                () -> CompletableFuture.completedFuture(1L),
                listener -> 9092,
                new ControlPlane.Time(broker.ticker, broker.ticker)));
    }

    private TopicImage offsetsTopic() {
        return broker.metadata.image().topic("__consumer_offsets");
    }

    @SuppressWarnings("unchecked")
    private <Q extends ApiMessage> RecordedAnswer send(ApiKeys api, int version, Q request) {
        ApiHandler<Q> handler = (ApiHandler<Q>) handlers.handler(api, (short) version, "PLAINTEXT");
        RecordedAnswer answer = new RecordedAnswer();
        assertThat(handler).isNotNull();
        handler.handle(
                request,
                new RequestContext(new RequestFrame(api, (short) version, 1, "c", request, 1, 0), broker.connection()),
                answer);
        return answer;
    }

    private void everyVersion(ApiKeys api, IntFunction<ApiMessage> request) {
        for (int version = api.oldestVersion(); version <= api.latestVersion(); version++) {
            RecordedAnswer answer = send(api, version, request.apply(version));
            assertThat(answer.given()).as("%s %s", api, version).isTrue();
            assertThat(answer.bytes((short) version).buffer().remaining()).isPositive();
        }
    }

    private OffsetCommitRequestData commit(int version, String topic, Uuid id, int partition) {
        OffsetCommitRequestTopic wanted = new OffsetCommitRequestTopic()
                .setPartitions(new ArrayList<>(List.of(new OffsetCommitRequestPartition()
                        .setPartitionIndex(partition)
                        .setCommittedOffset(7))));
        return new OffsetCommitRequestData()
                .setGroupId("g")
                .setTopics(new ArrayList<>(List.of(version >= 10 ? wanted.setTopicId(id) : wanted.setName(topic))));
    }

    private OffsetFetchRequestData fetch(int version) {
        OffsetFetchRequestData request = new OffsetFetchRequestData();
        if (version < 8) {
            return request.setGroupId("g")
                    .setTopics(
                            List.of(new OffsetFetchRequestTopic().setName("t").setPartitionIndexes(List.of(0, 1))));
        }
        OffsetFetchRequestTopics topic = new OffsetFetchRequestTopics().setPartitionIndexes(List.of(0, 1));
        return request.setGroups(List.of(
                new OffsetFetchRequestGroup()
                        .setGroupId("g")
                        .setTopics(List.of(version >= 10 ? topic.setTopicId(topicId) : topic.setName("t"))),
                new OffsetFetchRequestGroup().setGroupId("h").setTopics(null)));
    }

    @Test
    void everyVersionOfTheOffsetApisIsAnswered() {
        everyVersion(ApiKeys.OFFSET_COMMIT, version -> commit(version, "t", topicId, 0));
        everyVersion(ApiKeys.OFFSET_COMMIT, version -> commit(version, "unknown", new Uuid(3, 3), 0));
        everyVersion(ApiKeys.OFFSET_FETCH, this::fetch);
        for (int version = 1; version <= 10; version++) {
            OffsetFetchResponseData body =
                    send(ApiKeys.OFFSET_FETCH, version, fetch(version)).body(OffsetFetchResponseData.class);
            long offset = version < 8
                    ? body.topics().get(0).partitions().get(0).committedOffset()
                    : body.groups().get(0).topics().get(0).partitions().get(0).committedOffset();
            assertThat(offset).as("version %s", version).isEqualTo(7);
        }
        OffsetDeleteRequestData delete = new OffsetDeleteRequestData().setGroupId("g");
        delete.topics()
                .add(new OffsetDeleteRequestData.OffsetDeleteRequestTopic()
                        .setName("t")
                        .setPartitions(List.of(
                                new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(0),
                                new OffsetDeleteRequestData.OffsetDeleteRequestPartition().setPartitionIndex(9))));
        everyVersion(ApiKeys.OFFSET_DELETE, version -> delete.duplicate());
    }

    @Test
    void everyVersionOfTheOtherApisIsAnswered() {
        everyVersion(ApiKeys.JOIN_GROUP, version -> new JoinGroupRequestData().setGroupId("g"));
        everyVersion(ApiKeys.SYNC_GROUP, version -> new SyncGroupRequestData().setGroupId("g"));
        everyVersion(ApiKeys.HEARTBEAT, version -> new HeartbeatRequestData().setGroupId("g"));
        everyVersion(ApiKeys.LEAVE_GROUP, version -> leave(version));
        send(ApiKeys.OFFSET_COMMIT, 9, commit(9, "t", topicId, 0));
        everyVersion(ApiKeys.LIST_GROUPS, version -> new ListGroupsRequestData());
        everyVersion(ApiKeys.DESCRIBE_GROUPS, version -> new DescribeGroupsRequestData()
                .setGroups(List.of("g", "missing"))
                .setIncludeAuthorizedOperations(version >= 3));
        everyVersion(ApiKeys.DELETE_GROUPS, version -> new DeleteGroupsRequestData()
                .setGroupsNames(List.of("g", "missing", "g")));
        everyVersion(ApiKeys.FIND_COORDINATOR, version -> find(version, (byte) 0));
    }

    private static LeaveGroupRequestData leave(int version) {
        LeaveGroupRequestData request = new LeaveGroupRequestData().setGroupId("g");
        return version < 3
                ? request.setMemberId("m")
                : request.setMembers(List.of(new LeaveGroupRequestData.MemberIdentity().setMemberId("m")));
    }

    private static FindCoordinatorRequestData find(int version, byte type) {
        FindCoordinatorRequestData request = new FindCoordinatorRequestData().setKeyType(type);
        return version < 4 ? request.setKey("g") : request.setCoordinatorKeys(List.of("g", "h"));
    }

    @Test
    void theOffsetsTopicIsMadeWhenACoordinatorIsFirstLookedFor() {
        FindCoordinatorResponseData first =
                send(ApiKeys.FIND_COORDINATOR, 4, find(4, (byte) 0)).body(FindCoordinatorResponseData.class);
        assertThat(first.coordinators().get(0).errorCode()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE.code());
        Uuid made = offsetsTopic().id();
        assertThat(offsetsTopic().partitions()).hasSize(50);
        assertThat(offsetsTopic().partitions().get(0).replicas()).containsExactly(TestMetadata.NODE_ID);

        FindCoordinatorResponseData second =
                send(ApiKeys.FIND_COORDINATOR, 4, find(4, (byte) 0)).body(FindCoordinatorResponseData.class);
        assertThat(second.coordinators().get(0).nodeId()).isEqualTo(1);
        assertThat(second.coordinators().get(0).port()).isEqualTo(9092);
        assertThat(offsetsTopic().id()).isEqualTo(made);
    }

    @Test
    void nobodyIsSentToACoordinatorOfWhichNothingIsHeard() {
        send(ApiKeys.FIND_COORDINATOR, 4, find(4, (byte) 0));
        silent.add(TestMetadata.NODE_ID);

        FindCoordinatorResponseData found =
                send(ApiKeys.FIND_COORDINATOR, 4, find(4, (byte) 0)).body(FindCoordinatorResponseData.class);

        assertThat(found.coordinators().get(0).errorCode()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE.code());
    }

    @Test
    void theTopicOfTransactionsIsMadeForItsOwnKeys() {
        send(ApiKeys.FIND_COORDINATOR, 4, find(4, (byte) 1));
        FindCoordinatorResponseData found =
                send(ApiKeys.FIND_COORDINATOR, 4, find(4, (byte) 1)).body(FindCoordinatorResponseData.class);

        assertThat(found.coordinators().get(0).nodeId()).isEqualTo(1);
        assertThat(broker.metadata.image().topic("__transaction_state").partitions())
                .hasSize(50);
        assertThat(offsetsTopic()).isNull();
    }

    @Test
    void coordinatorsThatAreNotHereAreSaidSoAtOnce() {
        for (byte type : new byte[] {2, 7}) {
            assertThat(send(ApiKeys.FIND_COORDINATOR, 3, find(3, type))
                            .body(FindCoordinatorResponseData.class)
                            .errorCode())
                    .isEqualTo(Errors.INVALID_REQUEST.code());
        }
    }

    @Test
    void topicsThatAreNotThereAreRefusedByNameAndById() {
        OffsetCommitResponseData byName =
                send(ApiKeys.OFFSET_COMMIT, 9, commit(9, "unknown", topicId, 0)).body(OffsetCommitResponseData.class);
        OffsetCommitResponseData byId = send(ApiKeys.OFFSET_COMMIT, 10, commit(10, "", new Uuid(3, 3), 0))
                .body(OffsetCommitResponseData.class);
        OffsetCommitResponseData partition =
                send(ApiKeys.OFFSET_COMMIT, 9, commit(9, "t", topicId, 2)).body(OffsetCommitResponseData.class);
        assertThat(List.of(byName, byId, partition))
                .extracting(answer -> Errors.forCode(
                        answer.topics().get(0).partitions().get(0).errorCode()))
                .containsExactly(
                        Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_TOPIC_ID, Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }

    @Test
    void oldVersionsSayTheirErrorsAtTheTopAndNoProtocolAsEmpty() {
        assertThat(send(ApiKeys.LEAVE_GROUP, 2, leave(2))
                        .body(LeaveGroupResponseData.class)
                        .errorCode())
                .isEqualTo(Errors.UNKNOWN_MEMBER_ID.code());
        assertThat(send(ApiKeys.JOIN_GROUP, 6, new JoinGroupRequestData().setGroupId("g"))
                        .body(JoinGroupResponseData.class)
                        .protocolName())
                .isEmpty();
        assertThat(send(ApiKeys.SYNC_GROUP, 5, new SyncGroupRequestData().setGroupId("g"))
                        .body(SyncGroupResponseData.class)
                        .errorCode())
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL.code());
    }

    @Test
    void a_group_that_is_named_again_and_again_is_told_once() {
        OffsetFetchRequestGroup group =
                new OffsetFetchRequestGroup().setGroupId("g").setTopics(null);
        OffsetFetchResponseData offsets = send(
                        ApiKeys.OFFSET_FETCH,
                        9,
                        new OffsetFetchRequestData().setGroups(List.of(group, group.duplicate(), group.duplicate())))
                .body(OffsetFetchResponseData.class);
        DescribeGroupsResponseData described = send(
                        ApiKeys.DESCRIBE_GROUPS, 5, new DescribeGroupsRequestData().setGroups(List.of("g", "h", "g")))
                .body(DescribeGroupsResponseData.class);

        assertThat(offsets.groups()).hasSize(1);
        assertThat(described.groups()).extracting(d -> d.groupId()).containsExactlyInAnyOrder("g", "h");
    }

    @Test
    @Timeout(10) // seconds; each topic compared with each other takes minutes
    void a_topic_that_is_committed_to_again_and_again_is_answered_once() {
        int times = 60_000;
        List<OffsetCommitRequestTopic> topics = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            topics.add(new OffsetCommitRequestTopic()
                    .setName("t")
                    .setPartitions(new ArrayList<>(List.of(new OffsetCommitRequestPartition()
                            .setPartitionIndex(99)
                            .setCommittedOffset(7)))));
        }
        topics.add(commit(9, "t", topicId, 0).topics().get(0));

        OffsetCommitResponseData answer = send(
                        ApiKeys.OFFSET_COMMIT,
                        9,
                        new OffsetCommitRequestData().setGroupId("g").setTopics(topics))
                .body(OffsetCommitResponseData.class);

        assertThat(answer.topics()).hasSize(1);
        assertThat(answer.topics().get(0).partitions()).hasSize(times + 1);
    }

    @Test
    void a_partition_whose_offset_is_asked_for_again_and_again_is_told_once() {
        List<OffsetFetchRequestTopics> byName = List.of(
                new OffsetFetchRequestTopics().setName("t").setPartitionIndexes(List.of(0, 0, 1)),
                new OffsetFetchRequestTopics().setName("t").setPartitionIndexes(List.of(1, 0)));
        List<OffsetFetchRequestTopics> byId = List.of(
                new OffsetFetchRequestTopics().setTopicId(topicId).setPartitionIndexes(List.of(1, 1)),
                new OffsetFetchRequestTopics().setTopicId(topicId).setPartitionIndexes(List.of(0)));

        for (var answer : List.of(fetched(9, byName), fetched(10, byId))) {
            assertThat(answer.groups().get(0).topics()).hasSize(1);
            assertThat(answer.groups().get(0).topics().get(0).partitions())
                    .extracting(partition -> partition.partitionIndex())
                    .containsExactlyInAnyOrder(0, 1);
        }
    }

    private OffsetFetchResponseData fetched(int version, List<OffsetFetchRequestTopics> topics) {
        OffsetFetchRequestGroup group =
                new OffsetFetchRequestGroup().setGroupId("g").setTopics(topics);
        return send(ApiKeys.OFFSET_FETCH, version, new OffsetFetchRequestData().setGroups(List.of(group)))
                .body(OffsetFetchResponseData.class);
    }
}
