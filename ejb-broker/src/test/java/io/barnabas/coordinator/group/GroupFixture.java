package io.barnabas.coordinator.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.MemoryPartitionWriter;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** A group coordinator over a log in memory and a time that stands, with one partition, and words for what members do. */
final class GroupFixture {
    static final TopicPartition LOG = new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, 0);
    static final String GROUP = "g";
    static final int SESSION_MS = 10_000;
    static final int REBALANCE_MS = 60_000;
    static final int DELAY_MS = 3_000;
    static final Uuid TOPIC_ID = new Uuid(1, 2);
    static final short LATEST_JOIN = 9;

    private static final Logger LOGS =
            Logger.getLogger("io.barnabas.coordinator"); // held: loggers are weakly referenced

    static {
        LOGS.setLevel(Level.WARNING);
    }

    final ManualClock clock = new ManualClock();
    final ManualTicker ticker = new ManualTicker(clock);
    final MemoryPartitionWriter log = new MemoryPartitionWriter();
    final TestMetadata metadata = new TestMetadata();
    ConsumerGroupSettings consumers = TestConsumerGroups.defaults();
    private int ids;
    private int epoch;
    GroupCoordinator groups;

    GroupFixture() {
        this(Integer.MAX_VALUE);
    }

    GroupFixture(int maxSize) {
        groups = coordinator(maxSize);
        groups.onElected(0, epoch);
        metadata.metadata().onChange((change, image) -> groups.onMetadata(change, image));
    }

    private GroupCoordinator coordinator(int maxSize) {
        var defaults = GroupCoordinatorSettings.defaults();
        var settings = new GroupCoordinatorSettings(
                defaults.minSessionTimeoutMs(),
                defaults.maxSessionTimeoutMs(),
                maxSize,
                DELAY_MS,
                defaults.newMemberJoinTimeoutMs(),
                64,
                defaults.offsetsRetentionMs(),
                defaults.offsetsRetentionCheckIntervalMs(),
                defaults.offsetsCommitTimeoutMs(),
                1);
        return new GroupCoordinator(
                settings,
                () -> consumers,
                new Environment(clock, ticker, Runnable::run, log),
                new GroupCoordinator.Cluster(() -> 1, metadata::image),
                name -> name + "-" + ++ids);
    }

    /** The broker dies and starts again: nothing but the log remains. */
    void restart() {
        groups.close();
        groups = coordinator(Integer.MAX_VALUE);
        groups.onElected(0, ++epoch);
    }

    /** A topic in the metadata, which the coordinator is told of. */
    Uuid createTopic(String name, int partitions) {
        Uuid id = new Uuid(7, name.hashCode());
        ApiMessage[] records = new ApiMessage[partitions + 1];
        records[0] = new TopicRecord().setTopicId(id).setName(name);
        for (int i = 0; i < partitions; i++) {
            records[i + 1] = partition(id, i);
        }
        metadata.replay(records);
        return id;
    }

    /** One more partition of a topic. */
    void grow(Uuid topic, int index) {
        metadata.replay(partition(topic, index));
    }

    private static PartitionRecord partition(Uuid topic, int index) {
        return new PartitionRecord()
                .setTopicId(topic)
                .setPartitionId(index)
                .setReplicas(List.of(TestMetadata.NODE_ID))
                .setIsr(List.of(TestMetadata.NODE_ID))
                .setDirectories(List.of(new Uuid(1, 100)))
                .setLeader(TestMetadata.NODE_ID);
    }

    static ClientInfo client(int version) {
        return new ClientInfo((short) version, "client", "/127.0.0.1");
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] subscription(String... topics) {
        ByteBuffer buffer = ConsumerProtocol.serializeSubscription(new Subscription(List.of(topics)));
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    static JoinGroupRequestData joinRequest(String memberId, @Nullable String instanceId, String... protocols) {
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setProtocolType("consumer")
                .setSessionTimeoutMs(SESSION_MS)
                .setRebalanceTimeoutMs(REBALANCE_MS);
        for (String protocol : protocols) {
            request.protocols()
                    .add(new JoinGroupRequestProtocol().setName(protocol).setMetadata(subscription("t")));
        }
        return request;
    }

    CompletableFuture<JoinGroupResponseData> join(JoinGroupRequestData request) {
        return groups.join(client(LATEST_JOIN), request);
    }

    CompletableFuture<JoinGroupResponseData> join(String memberId) {
        return join(joinRequest(memberId, null, "range"));
    }

    CompletableFuture<JoinGroupResponseData> joinStatic(String memberId, String instanceId) {
        return join(joinRequest(memberId, instanceId, "range"));
    }

    /** The first step of a dynamic member: an id. */
    String newId() {
        JoinGroupResponseData answer = now(join(""));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.MEMBER_ID_REQUIRED);
        return answer.memberId();
    }

    /** A stable group of so many dynamic members. */
    List<JoinGroupResponseData> stable(int members) {
        List<CompletableFuture<JoinGroupResponseData>> joins = new ArrayList<>();
        for (int i = 0; i < members; i++) {
            joins.add(join(newId()));
        }
        ticker.advance(DELAY_MS);
        ticker.advance(members > 1 ? DELAY_MS : 0);
        return syncAll(joins);
    }

    /** Everybody of a generation syncs, the leader last, with an assignment that names each member. */
    List<JoinGroupResponseData> syncAll(List<CompletableFuture<JoinGroupResponseData>> joins) {
        List<JoinGroupResponseData> joined =
                joins.stream().map(GroupFixture::now).toList();
        joined.forEach(member -> assertThat(Errors.forCode(member.errorCode())).isEqualTo(Errors.NONE));
        List<CompletableFuture<SyncGroupResponseData>> syncs = new ArrayList<>();
        for (JoinGroupResponseData member : joined) {
            if (!member.leader().equals(member.memberId())) {
                syncs.add(sync(member));
            }
        }
        joined.stream()
                .filter(member -> member.leader().equals(member.memberId()))
                .forEach(leader -> syncs.add(lead(leader)));
        syncs.forEach(sync -> assertThat(Errors.forCode(now(sync).errorCode())).isEqualTo(Errors.NONE));
        return joined;
    }

    CompletableFuture<SyncGroupResponseData> sync(JoinGroupResponseData member) {
        return groups.sync(syncRequest(member.memberId(), member.generationId()));
    }

    static SyncGroupRequestData syncRequest(String memberId, int generation) {
        return new SyncGroupRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGenerationId(generation)
                .setProtocolType("consumer")
                .setProtocolName("range");
    }

    CompletableFuture<SyncGroupResponseData> lead(JoinGroupResponseData leader) {
        SyncGroupRequestData request = syncRequest(leader.memberId(), leader.generationId());
        leader.members().forEach(member -> request.assignments()
                .add(new SyncGroupRequestAssignment()
                        .setMemberId(member.memberId())
                        .setAssignment(bytes("for " + member.memberId()))));
        return groups.sync(request);
    }

    Errors heartbeat(String memberId, int generation) {
        return heartbeat(memberId, null, generation);
    }

    Errors heartbeat(String memberId, @Nullable String instanceId, int generation) {
        return Errors.forCode(now(groups.heartbeat(new HeartbeatRequestData()
                        .setGroupId(GROUP)
                        .setMemberId(memberId)
                        .setGroupInstanceId(instanceId)
                        .setGenerationId(generation)))
                .errorCode());
    }

    LeaveGroupResponseData leave(MemberIdentity... members) {
        return now(groups.leave(new LeaveGroupRequestData().setGroupId(GROUP).setMembers(List.of(members))));
    }

    static MemberIdentity identity(String memberId, @Nullable String instanceId) {
        return new MemberIdentity().setMemberId(memberId).setGroupInstanceId(instanceId);
    }

    static OffsetCommitRequestData commitRequest(String memberId, int generation, long offset) {
        return new OffsetCommitRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGenerationIdOrMemberEpoch(generation)
                .setTopics(new ArrayList<>(List.of(new OffsetCommitRequestTopic()
                        .setName("t")
                        .setTopicId(TOPIC_ID)
                        .setPartitions(new ArrayList<>(List.of(new OffsetCommitRequestPartition()
                                .setPartitionIndex(0)
                                .setCommittedOffset(offset)
                                .setCommittedMetadata("note")))))));
    }

    CompletableFuture<Errors> commitLater(String memberId, int generation, long offset) {
        return groups.commit(client(9), commitRequest(memberId, generation, offset))
                .thenApply(answer -> Errors.forCode(
                        answer.topics().get(0).partitions().get(0).errorCode()));
    }

    Errors commit(String memberId, int generation, long offset) {
        return now(commitLater(memberId, generation, offset));
    }

    /** A commit by nobody. */
    Errors commit(long offset) {
        return commit("", -1, offset);
    }

    OffsetFetchResponsePartitions fetch(boolean requireStable) {
        OffsetFetchRequestGroup request = new OffsetFetchRequestGroup()
                .setGroupId(GROUP)
                .setTopics(List.of(new OffsetFetchRequestTopics().setName("t").setPartitionIndexes(List.of(0))));
        return now(groups.fetch(client(9), request, requireStable))
                .topics()
                .get(0)
                .partitions()
                .get(0);
    }

    long fetchedOffset() {
        return fetch(false).committedOffset();
    }

    DescribedGroup describe() {
        return now(groups.describe(client(6), List.of(GROUP))).get(0);
    }

    String state() {
        return describe().groupState();
    }

    Map<String, String> assignments() {
        Map<String, String> byMember = new java.util.TreeMap<>();
        describe()
                .members()
                .forEach(member ->
                        byMember.put(member.memberId(), new String(member.memberAssignment(), StandardCharsets.UTF_8)));
        return byMember;
    }

    /** The answer, which must be there. */
    static <T> T now(CompletableFuture<T> answer) {
        assertThat(answer).isDone();
        return answer.join();
    }
}
