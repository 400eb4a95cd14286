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
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a member of a consumer group is answered, and what becomes of it if it does not keep to the protocol. */
class ConsumerHeartbeatTest {
    private static final int SESSION_MS = 45_000;

    private final GroupFixture group = new GroupFixture();
    private final Uuid topic = group.createTopic("t", 4);

    private ConsumerGroupHeartbeatResponseData send(ConsumerGroupHeartbeatRequestData request) {
        return now(group.groups.consumerHeartbeat(client(1), request));
    }

    private ConsumerGroupHeartbeatResponseData good(ConsumerGroupHeartbeatRequestData request) {
        ConsumerGroupHeartbeatResponseData answer = send(request);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer;
    }

    private Errors error(ConsumerGroupHeartbeatRequestData request) {
        return Errors.forCode(send(request).errorCode());
    }

    private ConsumerGroupHeartbeatRequestData owning(String memberId, int epoch, Integer... partitions) {
        return request(memberId, epoch)
                .setTopicPartitions(
                        List.of(new TopicPartitions().setTopicId(topic).setPartitions(List.of(partitions))));
    }

    private static Set<Integer> assigned(ConsumerGroupHeartbeatResponseData answer) {
        Set<Integer> partitions = new TreeSet<>();
        answer.assignment().topicPartitions().forEach(of -> partitions.addAll(of.partitions()));
        return partitions;
    }

    private DescribedGroup describe() {
        return now(group.groups.describeConsumers(List.of(GROUP))).get(0);
    }

    @Test
    void the_first_member_gets_everything_at_once() {
        ConsumerGroupHeartbeatResponseData answer = good(joining("a", null));

        assertThat(answer.memberEpoch()).isEqualTo(2);
        assertThat(answer.heartbeatIntervalMs()).isEqualTo(5_000);
        assertThat(assigned(answer)).containsExactly(0, 1, 2, 3);
        assertThat(describe().groupState()).isEqualTo("Stable");
        assertThat(good(request("a", 2)).assignment()).as("nothing new").isNull();
    }

    @Test
    void a_partition_is_given_to_another_only_after_it_was_given_up() {
        good(joining("a", null));
        ConsumerGroupHeartbeatResponseData b = good(joining("b", null));
        assertThat(b.memberEpoch()).isEqualTo(3);
        assertThat(assigned(b)).isEmpty();

        ConsumerGroupHeartbeatResponseData a = good(owning("a", 2, 0, 1, 2, 3));
        assertThat(a.memberEpoch()).as("it has yet to give up").isEqualTo(2);
        Set<Integer> kept = assigned(a);
        assertThat(kept).hasSize(2);
        assertThat(good(request("b", 3)).assignment()).isNull();
        assertThat(describe().groupState()).isEqualTo("Reconciling");

        a = good(owning("a", 2, kept.toArray(new Integer[0])));
        assertThat(a.memberEpoch()).isEqualTo(3);
        assertThat(assigned(good(request("b", 3)))).hasSize(2).doesNotContainAnyElementsOf(kept);
        assertThat(describe().groupState()).isEqualTo("Stable");
    }

    @Test
    void a_member_asks_again_soon_while_it_waits_for_partitions_of_another() {
        good(joining("a", null));
        assertThat(good(joining("b", null)).heartbeatIntervalMs()).isEqualTo(500);
        ConsumerGroupHeartbeatResponseData a = good(owning("a", 2, 0, 1, 2, 3));
        assertThat(a.heartbeatIntervalMs()).as("it gives up first").isEqualTo(5_000);
        assertThat(good(request("b", 3)).heartbeatIntervalMs()).isEqualTo(500);

        good(owning("a", 2, assigned(a).toArray(new Integer[0])));

        assertThat(good(request("b", 3)).heartbeatIntervalMs()).isEqualTo(5_000);
    }

    @Test
    void a_member_that_does_not_give_up_in_time_is_fenced() {
        good(joining("a", null));
        good(joining("b", null));
        good(owning("a", 2, 0, 1, 2, 3));
        for (int ms = 0; ms < REBALANCE_MS; ms += 10_000) {
            good(owning("a", 2, 0, 1, 2, 3));
            good(request("b", 3));
            group.ticker.advance(10_000);
        }

        assertThat(error(request("a", 2))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(assigned(good(request("b", 3)))).containsExactly(0, 1, 2, 3);
    }

    @Test
    void a_silent_member_is_fenced_and_the_last_one_leaves_the_group_empty() {
        good(joining("a", null));
        group.ticker.advance(SESSION_MS - 1);
        good(request("a", 2));
        group.ticker.advance(SESSION_MS + 1);

        assertThat(error(request("a", 2))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(describe().groupState()).isEqualTo("Empty");
    }

    @Test
    void only_the_present_epoch_is_taken_or_the_one_before_of_a_member_with_nothing_too_much() {
        good(joining("a", null));
        good(joining("b", null));
        Set<Integer> kept = assigned(good(owning("a", 2, 0, 1, 2, 3)));
        Integer[] mine = kept.toArray(new Integer[0]);
        good(owning("a", 2, mine)); // epoch 3 from here on; say the answer is lost

        assertThat(good(owning("a", 2, mine)).memberEpoch()).isEqualTo(3);
        assertThat(error(owning("a", 2, 0, 1, 2, 3))).isEqualTo(Errors.FENCED_MEMBER_EPOCH);
        assertThat(error(request("a", 2))).isEqualTo(Errors.FENCED_MEMBER_EPOCH);
        assertThat(error(request("a", 1))).isEqualTo(Errors.FENCED_MEMBER_EPOCH);
        assertThat(error(request("a", 4))).isEqualTo(Errors.FENCED_MEMBER_EPOCH);
        assertThat(error(request("x", 3))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(error(request("a", 3).setGroupId("other"))).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
    }

    @Test
    void a_static_member_keeps_its_place_while_it_is_away_and_nobody_else_gets_its_instance_id() {
        good(joining("a", "i"));
        assertThat(error(joining("b", "i"))).isEqualTo(Errors.UNRELEASED_INSTANCE_ID);

        good(request("a", -2).setInstanceId("i"));
        ConsumerGroupHeartbeatResponseData back = good(joining("b", "i"));

        assertThat(assigned(back)).containsExactly(0, 1, 2, 3);
        assertThat(back.memberEpoch()).isEqualTo(2);
        assertThat(error(request("a", 2).setInstanceId("i"))).isEqualTo(Errors.FENCED_INSTANCE_ID);
        assertThat(error(request("a", 2).setInstanceId("j"))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        good(request("b", -1).setInstanceId("i"));
        assertThat(describe().groupState()).isEqualTo("Empty");
    }

    @Test
    void a_static_member_that_stays_away_is_fenced_when_its_session_ends() {
        good(joining("a", "i"));
        good(request("a", -2).setInstanceId("i"));
        group.ticker.advance(SESSION_MS + 1);

        assertThat(describe().members()).isEmpty();
    }

    @Test
    void what_was_never_said_is_refused() {
        assertThat(error(joining("", null))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", ""))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", null).setRackId(""))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", null).setGroupId(""))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", null).setRebalanceTimeoutMs(-1))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", null).setTopicPartitions(null))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", null).setSubscribedTopicNames(null))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(joining("a", null).setServerAssignor("mine"))).isEqualTo(Errors.UNSUPPORTED_ASSIGNOR);
        assertThat(error(joining("a", null).setSubscribedTopicRegex("("))).isEqualTo(Errors.INVALID_REGULAR_EXPRESSION);
        assertThat(error(joining("a", null).setSubscribedTopicRegex("((x{100}){100}){100}")))
                .isEqualTo(Errors.INVALID_REGULAR_EXPRESSION);
        assertThat(error(request("a", -2))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(error(request("a", -3))).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(describe().errorCode()).isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
    }

    @Test
    void a_full_group_takes_nobody_more() {
        group.consumers = TestConsumerGroups.of(1, MigrationPolicy.BIDIRECTIONAL, 0);
        good(joining("a", null));

        assertThat(error(joining("b", null))).isEqualTo(Errors.GROUP_MAX_SIZE_REACHED);
        good(joining("a", null));
    }

    @Test
    void a_topic_that_grows_makes_a_new_epoch() {
        good(joining("a", null));
        group.grow(topic, 4);

        ConsumerGroupHeartbeatResponseData answer = good(request("a", 2));

        assertThat(answer.memberEpoch()).isEqualTo(3);
        assertThat(assigned(answer)).containsExactly(0, 1, 2, 3, 4);
        assertThat(good(request("a", 3)).memberEpoch()).isEqualTo(3);
    }

    @Test
    void targets_are_not_computed_more_often_than_the_interval_allows() {
        group.consumers = TestConsumerGroups.of(10, MigrationPolicy.BIDIRECTIONAL, 1_000);
        good(joining("a", null));
        assertThat(good(joining("b", null)).memberEpoch())
                .as("of the last target")
                .isEqualTo(2);
        assertThat(describe().groupState()).isEqualTo("Assigning");

        group.ticker.advance(1_000);

        assertThat(good(request("b", 2)).memberEpoch()).isEqualTo(3);
        assertThat(describe().groupState()).isEqualTo("Reconciling");
    }

    @Test
    void a_pattern_is_matched_on_a_worker_and_again_when_topics_are_made() {
        ConsumerGroupHeartbeatRequestData byPattern =
                joining("a", null).setSubscribedTopicNames(null).setSubscribedTopicRegex("t.*");
        assertThat(assigned(good(byPattern))).as("not matched yet").isEmpty();
        assertThat(assigned(good(request("a", describeEpoch())))).containsExactly(0, 1, 2, 3);

        Uuid more = group.createTopic("t2", 1);
        group.ticker.advance(11_000);
        good(request("a", describeEpoch()));
        ConsumerGroupHeartbeatResponseData answer = good(request("a", describeEpoch()));

        assertThat(answer.assignment().topicPartitions())
                .extracting(ConsumerGroupHeartbeatResponseData.TopicPartitions::topicId)
                .contains(more);
    }

    private int describeEpoch() {
        return describe().members().get(0).memberEpoch();
    }

    @Test
    void what_is_in_the_log_is_there_again_after_a_restart() {
        good(joining("a", null));
        good(joining("b", "i"));
        good(owning("a", 2, 0, 1, 2, 3));
        good(joining("c", null).setSubscribedTopicRegex("t.*"));
        List<?> before = sorted();

        group.restart();

        assertThat(sorted()).isEqualTo(before);
        group.ticker.advance(SESSION_MS + 1);
        assertThat(describe().groupState()).as("sessions run again").isEqualTo("Empty");
    }

    private List<org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member> sorted() {
        List<org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member> members =
                new ArrayList<>(describe().members());
        members.sort(java.util.Comparator.comparing(
                org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member::memberId));
        return members;
    }

    @Test
    void offsets_are_committed_and_fetched_by_member_epoch() {
        good(joining("a", null));
        assertThat(commit("a", 2)).isEqualTo(Errors.NONE);
        assertThat(commit("a", 3)).isEqualTo(Errors.STALE_MEMBER_EPOCH);
        assertThat(commit("a", 1)).as("it had it later only").isEqualTo(Errors.STALE_MEMBER_EPOCH);
        assertThat(commit("b", 2)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(commit("", -1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        good(joining("b", null));
        Set<Integer> kept = assigned(good(owning("a", 2, 0, 1, 2, 3)));
        good(owning("a", 2, kept.toArray(new Integer[0])));
        assertThat(commit("a", 2, kept.iterator().next()))
                .as("an older epoch, for what it has had all the time (KIP-1251)")
                .isEqualTo(Errors.NONE);

        assertThat(fetch("a", 3)).isEqualTo(Errors.NONE);
        assertThat(fetch("a", 2)).isEqualTo(Errors.STALE_MEMBER_EPOCH);
        assertThat(fetch("x", 3)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(fetch(null, -1)).isEqualTo(Errors.NONE);
    }

    private Errors commit(String memberId, int epoch) {
        return commit(memberId, epoch, 0);
    }

    private Errors commit(String memberId, int epoch, int partition) {
        OffsetCommitRequestData request = GroupFixture.commitRequest(memberId, epoch, 5);
        request.topics().get(0).setTopicId(topic).partitions().get(0).setPartitionIndex(partition);
        return Errors.forCode(now(group.groups.commit(client(9), request))
                .topics()
                .get(0)
                .partitions()
                .get(0)
                .errorCode());
    }

    private Errors fetch(@Nullable String memberId, int epoch) {
        OffsetFetchRequestGroup request = new OffsetFetchRequestGroup()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setMemberEpoch(epoch)
                .setTopics(List.of(new OffsetFetchRequestTopics().setName("t").setPartitionIndexes(List.of(0))));
        return Errors.forCode(now(group.groups.fetch(client(9), request, false)).errorCode());
    }

    @Test
    void an_empty_group_is_deleted_with_all_its_records_and_one_with_members_is_not() {
        good(joining("a", null));
        assertThat(delete()).isEqualTo(Errors.NON_EMPTY_GROUP);
        good(request("a", -1));
        assertThat(delete()).isEqualTo(Errors.NONE);

        group.restart();

        assertThat(describe().errorCode()).isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
        assertThat(good(joining("a", null)).memberEpoch()).isEqualTo(2);
    }

    private Errors delete() {
        return Errors.forCode(now(group.groups.delete(List.of(GROUP))).get(0).errorCode());
    }

    @Test
    void the_rack_of_a_member_is_described_and_outlives_a_restart() {
        good(joining("a", null).setRackId("rack-1"));
        JoinGroupRequestData classic = GroupFixture.joinRequest(group.newId(), null);
        ByteBuffer subscription = ConsumerProtocol.serializeSubscription(
                new Subscription(List.of("t"), null, List.of(), -1, Optional.of("rack-2")));
        classic.protocols()
                .add(new JoinGroupRequestProtocol().setName("range").setMetadata(Utils.toArray(subscription)));
        assertThat(now(group.join(classic)).errorCode()).isZero();
        good(joining("z", null));
        assertThat(racks()).containsExactly("rack-1", "rack-2", null);

        group.restart();

        assertThat(racks()).containsExactly("rack-1", "rack-2", null);
        good(owning("a", 2, 0, 1, 2, 3));
        assertThat(racks()).as("what is not said stays").containsExactly("rack-1", "rack-2", null);
    }

    private List<String> racks() {
        return sorted().stream().map(member -> member.rackId()).toList();
    }
}
