package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.ConsumerRequests.REBALANCE_MS;
import static io.barnabas.coordinator.group.ConsumerRequests.joining;
import static io.barnabas.coordinator.group.ConsumerRequests.request;
import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The rules of consumer groups that a member meets rarely: where it changes its mind, comes back, or finds a group of another kind. */
class ConsumerGroupRulesTest {
    private static final long RETENTION_MS = TimeUnit.DAYS.toMillis(7);

    private GroupFixture group = new GroupFixture();
    private Uuid topic = group.createTopic("t", 6);
    private final Map<String, Integer> epochs = new HashMap<>();
    private final Map<String, Set<Integer>> owned = new HashMap<>();

    private ConsumerGroupHeartbeatResponseData send(ConsumerGroupHeartbeatRequestData request) {
        return now(group.groups.consumerHeartbeat(client(1), request));
    }

    private ConsumerGroupHeartbeatResponseData good(ConsumerGroupHeartbeatRequestData request) {
        ConsumerGroupHeartbeatResponseData answer = send(request);
        assertThat(Errors.forCode(answer.errorCode())).as(answer.errorMessage()).isEqualTo(Errors.NONE);
        return answer;
    }

    private Errors error(ConsumerGroupHeartbeatRequestData request) {
        return Errors.forCode(send(request).errorCode());
    }

    private List<TopicPartitions> of(Uuid id, Set<Integer> partitions) {
        return List.of(new TopicPartitions().setTopicId(id).setPartitions(List.copyOf(partitions)));
    }

    private Set<Integer> assigned(ConsumerGroupHeartbeatResponseData answer, Uuid id) {
        Set<Integer> partitions = new TreeSet<>();
        answer.assignment().topicPartitions().stream()
                .filter(part -> part.topicId().equals(id))
                .forEach(part -> partitions.addAll(part.partitions()));
        return partitions;
    }

    private void join(String member, @Nullable String instanceId) {
        take(member, good(joining(member, instanceId)));
    }

    private void take(String member, ConsumerGroupHeartbeatResponseData answer) {
        epochs.put(member, answer.memberEpoch());
        if (answer.assignment() != null) {
            owned.put(member, assigned(answer, topic));
        }
    }

    /** Everybody says what it has and takes what it is given, until all have what is theirs. */
    private void settle(String... members) {
        for (int i = 0; i < 4; i++) {
            for (String member : members) {
                take(
                        member,
                        good(request(member, epochs.get(member)).setTopicPartitions(of(topic, owned.get(member)))));
            }
        }
        assertThat(describe().groupState()).isEqualTo("Stable");
    }

    private DescribedGroup describe() {
        return now(group.groups.describeConsumers(List.of(GROUP))).get(0);
    }

    private List<String> listed(List<String> states, List<String> types) {
        return now(group.groups.list(states, types)).stream()
                .map(listed -> listed.groupId() + " " + listed.groupType() + " " + listed.groupState())
                .toList();
    }

    // ---- epochs and answers

    @Test
    void an_epoch_older_than_the_one_before_is_fenced_whatever_the_member_has() {
        good(joining("a", null));
        group.grow(topic, 6);
        assertThat(good(request("a", 2)).memberEpoch()).isEqualTo(3);
        group.grow(topic, 7);
        assertThat(good(request("a", 3)).memberEpoch()).isEqualTo(4);

        assertThat(good(request("a", 3).setTopicPartitions(List.of())).memberEpoch())
                .isEqualTo(4);
        assertThat(error(request("a", 2).setTopicPartitions(List.of()))).isEqualTo(Errors.FENCED_MEMBER_EPOCH);
    }

    @Test
    void a_member_that_says_everything_is_told_everything() {
        good(joining("a", null));

        ConsumerGroupHeartbeatResponseData answer =
                good(joining("a", null).setMemberEpoch(2).setTopicPartitions(of(topic, Set.of(0, 1, 2, 3, 4, 5))));

        assertThat(assigned(answer, topic)).hasSize(6);
    }

    @Test
    void another_choice_of_assignor_makes_a_new_target() {
        good(joining("a", null).setServerAssignor("uniform"));

        ConsumerGroupHeartbeatResponseData answer = good(request("a", 2).setServerAssignor("range"));

        assertThat(answer.memberEpoch()).isEqualTo(3);
        assertThat(describe().assignorName()).isEqualTo("range");
        assertThat(good(request("a", 3).setServerAssignor("range")).memberEpoch())
                .isEqualTo(3);
    }

    @Test
    void a_member_of_the_consumer_protocol_commits_with_a_version_that_knows_its_epoch() {
        good(joining("a", null));
        OffsetCommitRequestData commit = GroupFixture.commitRequest("a", 2, 5);
        commit.topics().get(0).setTopicId(topic);

        assertThat(commitError(8, commit)).isEqualTo(Errors.UNSUPPORTED_VERSION);
        assertThat(commitError(9, commit)).isEqualTo(Errors.NONE);
    }

    private Errors commitError(int version, OffsetCommitRequestData commit) {
        return Errors.forCode(now(group.groups.commit(client(version), commit))
                .topics()
                .get(0)
                .partitions()
                .get(0)
                .errorCode());
    }

    // ---- what a member has

    @Test
    void a_topic_that_a_member_no_longer_wants_goes_at_once_though_it_has_others_to_give_up() {
        Uuid other = group.createTopic("u", 2);
        List<String> both = List.of("t", "u");
        good(joining("a", null).setSubscribedTopicNames(both));
        good(joining("b", null).setSubscribedTopicNames(both));
        ConsumerGroupHeartbeatRequestData everything = request("a", 2)
                .setTopicPartitions(List.of(
                        new TopicPartitions().setTopicId(topic).setPartitions(List.of(0, 1, 2, 3, 4, 5)),
                        new TopicPartitions().setTopicId(other).setPartitions(List.of(0, 1))));
        Set<Integer> kept = assigned(good(everything), other);
        assertThat(kept).as("of the topic something is left to it").isNotEmpty();

        ConsumerGroupHeartbeatResponseData answer = good(everything.duplicate().setSubscribedTopicNames(List.of("t")));

        assertThat(assigned(answer, other)).isEmpty();
        assertThat(assigned(answer, topic)).isNotEmpty();
    }

    @Test
    void who_takes_a_static_members_place_takes_its_partitions_when_the_target_changes_with_it() {
        // Given three static members
        List<String> members = List.of("a", "b", "c");
        members.forEach(member -> join(member, "i-" + member));
        settle("a", "b", "c");
        String low = members.stream()
                .filter(member -> owned.get(member).contains(0))
                .findFirst()
                .orElseThrow();
        String high = members.stream()
                .filter(member -> !member.equals(low))
                .max((x, y) -> Collections.max(owned.get(x)) - Collections.max(owned.get(y)))
                .orElseThrow();
        // When one is away, another leaves for good, and the first is back
        good(request(high, -2).setInstanceId("i-" + high));
        good(request(low, -1).setInstanceId("i-" + low));
        ConsumerGroupHeartbeatResponseData back = good(joining("d", "i-" + high));
        // Then
        assertThat(assigned(back, topic)).containsAll(owned.get(high));
    }

    @Test
    void a_member_that_does_not_give_up_in_time_is_fenced_after_a_restart_too() {
        good(joining("a", null));
        good(joining("b", null));
        ConsumerGroupHeartbeatRequestData clinging =
                request("a", 2).setTopicPartitions(of(topic, Set.of(0, 1, 2, 3, 4, 5)));
        good(clinging);

        group.restart();
        for (int ms = 0; ms < REBALANCE_MS; ms += 10_000) {
            good(clinging);
            good(request("b", 3));
            group.ticker.advance(10_000);
        }

        assertThat(error(clinging)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(assigned(good(request("b", 3)), topic)).hasSize(6);
    }

    @Test
    void the_first_member_after_the_last_one_need_not_wait_for_the_interval_of_targets() {
        group.consumers = TestConsumerGroups.of(10, MigrationPolicy.BIDIRECTIONAL, 30_000);
        good(joining("a", null));
        good(request("a", -1));

        assertThat(assigned(good(joining("b", null)), topic)).hasSize(6);
    }

    // ---- offsets and time

    @Test
    void offsets_of_a_consumer_group_expire_by_their_commit_unless_they_are_subscribed_to() {
        good(joining("a", null));
        OffsetCommitRequestData commit = GroupFixture.commitRequest("a", 2, 5);
        commit.topics().get(0).setTopicId(topic);
        assertThat(commitError(9, commit)).isEqualTo(Errors.NONE);
        for (long ms = 0; ms < RETENTION_MS + 1_200_000; ms += 40_000) {
            good(request("a", 2));
            group.ticker.advance(40_000);
        }
        assertThat(group.fetchedOffset()).as("of a topic that is subscribed to").isEqualTo(5);

        good(request("a", -1));
        group.ticker.advance(1_200_000);

        assertThat(group.fetchedOffset()).isEqualTo(-1);
        assertThat(listed(List.of(), List.of())).isEmpty();
        group.restart();
        assertThat(listed(List.of(), List.of())).isEmpty();
    }

    @Test
    void an_offset_that_a_transaction_has_yet_to_decide_keeps_a_group_and_goes_with_it_when_it_is_deleted() {
        assertThat(Errors.forCode(now(group.groups.commitInTransaction(client(5), inTransaction(), 0))
                        .topics()
                        .get(0)
                        .partitions()
                        .get(0)
                        .errorCode()))
                .isEqualTo(Errors.NONE);
        good(joining("a", null));
        good(request("a", -1));
        group.ticker.advance(RETENTION_MS + 1_200_000);
        assertThat(listed(List.of(), List.of())).containsExactly("g consumer Empty");
        assertThat(Errors.forCode(group.fetch(true).errorCode())).isEqualTo(Errors.UNSTABLE_OFFSET_COMMIT);

        assertThat(now(group.groups.delete(List.of(GROUP))).get(0).errorCode()).isZero();

        assertThat(group.fetch(true).errorCode()).isZero();
        group.restart();
        assertThat(group.fetch(true).errorCode()).isZero();
    }

    private TxnOffsetCommitRequestData inTransaction() {
        return new TxnOffsetCommitRequestData()
                .setTransactionalId("x")
                .setGroupId(GROUP)
                .setProducerId(1)
                .setProducerEpoch((short) 0)
                .setTopics(List.of(new TxnOffsetCommitRequestTopic()
                        .setName("t")
                        .setTopicId(topic)
                        .setPartitions(List.of(new TxnOffsetCommitRequestPartition()
                                .setPartitionIndex(0)
                                .setCommittedOffset(5)))));
    }

    // ---- groups of another kind

    @Test
    void groups_are_listed_by_type_and_state() {
        good(joining("a", null));

        assertThat(listed(List.of(), List.of())).containsExactly("g consumer Stable");
        assertThat(listed(List.of("Stable"), List.of("Consumer"))).containsExactly("g consumer Stable");
        assertThat(listed(List.of("Empty"), List.of("Consumer"))).isEmpty();
        assertThat(listed(List.of("Stable"), List.of("Classic"))).isEmpty();
    }

    @Test
    void an_empty_classic_group_becomes_a_consumer_group_and_keeps_its_offsets() {
        JoinGroupResponseData last = group.stable(1).get(0);
        assertThat(group.commit(last.memberId(), last.generationId(), 4)).isEqualTo(Errors.NONE);
        group.leave(GroupFixture.identity(last.memberId(), null));

        good(joining("a", null));
        group.restart();

        assertThat(listed(List.of(), List.of())).containsExactly("g consumer Stable");
        good(request("a", -1));
        group.restart();
        assertThat(listed(List.of(), List.of())).containsExactly("g consumer Empty");
        assertThat(group.fetchedOffset()).isEqualTo(4);
        assertThat(lastOfClassicGroup().hasValue())
                .as("would be there again once the other records are compacted")
                .isFalse();
    }

    private Record lastOfClassicGroup() {
        List<Record> records = new ArrayList<>();
        group.log
                .batches(GroupFixture.LOG)
                .forEach(batch -> batch.forEach(record -> {
                    if (record.key().getShort() == CoordinatorRecordType.GROUP_METADATA.id()) {
                        records.add(record);
                    }
                }));
        return records.get(records.size() - 1);
    }

    private void assertRefused(String reason) {
        ConsumerGroupHeartbeatResponseData answer = send(joining("a", null));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
        assertThat(answer.errorMessage()).contains(reason);
    }

    @Test
    void a_classic_group_that_is_none_of_consumers_does_not_become_one() {
        CompletableFuture<JoinGroupResponseData> join =
                group.join(GroupFixture.joinRequest("", null, "range").setProtocolType("connect"));
        assertThat(now(join).errorCode()).isEqualTo(Errors.MEMBER_ID_REQUIRED.code());
        group.join(GroupFixture.joinRequest(now(join).memberId(), null, "range").setProtocolType("connect"));
        group.ticker.advance(GroupFixture.DELAY_MS);

        assertRefused("does not use the consumer embedded protocol");
    }

    @Test
    void a_classic_group_that_is_too_large_for_a_consumer_group_stays_one() {
        group.stable(2);
        group.consumers = TestConsumerGroups.of(1, MigrationPolicy.BIDIRECTIONAL, 0);

        assertRefused("exceeds the consumer group maximum size");
    }

    @Test
    void a_classic_group_whose_assignor_keeps_data_of_its_own_stays_one() {
        CompletableFuture<JoinGroupResponseData> join = group.join(group.newId());
        group.ticker.advance(GroupFixture.DELAY_MS);
        JoinGroupResponseData leader = now(join);
        SyncGroupRequestData sync = GroupFixture.syncRequest(leader.memberId(), leader.generationId());
        Assignment mine = new Assignment(List.of(new TopicPartition("t", 0)), ByteBuffer.wrap(new byte[] {1}));
        sync.assignments()
                .add(new SyncGroupRequestAssignment()
                        .setMemberId(leader.memberId())
                        .setAssignment(Utils.toArray(ConsumerProtocol.serializeAssignment(mine))));
        assertThat(now(group.groups.sync(sync)).errorCode()).isZero();

        assertRefused("custom assignor");
    }

    @Test
    void a_consumer_group_that_is_too_large_for_a_classic_group_stays_one() {
        group = new GroupFixture(1);
        topic = group.createTopic("t", 6);
        good(joining("a", null));
        assertThat(now(group.join(group.newId())).errorCode()).isZero();
        assertThat(now(group.join(group.newId())).errorCode()).isZero();

        good(request("a", -1));

        assertThat(listed(List.of(), List.of("consumer"))).hasSize(1);
        assertThat(describe().members()).hasSize(2);
    }
}
