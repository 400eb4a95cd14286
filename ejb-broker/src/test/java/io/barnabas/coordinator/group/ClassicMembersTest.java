package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.ConsumerRequests.joining;
import static io.barnabas.coordinator.group.ConsumerRequests.request;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.identity;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Members of the classic protocol in a consumer group: what they are asked, told and refused while both protocols are in it. */
class ClassicMembersTest {
    private static final int STEP_MS = 5_000;

    private final GroupFixture group = new GroupFixture();
    private final Uuid topic = group.createTopic("t", 4);
    private String classic = "";

    private ConsumerGroupHeartbeatResponseData good(ConsumerGroupHeartbeatRequestData request) {
        ConsumerGroupHeartbeatResponseData answer = now(group.groups.consumerHeartbeat(client(1), request));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer;
    }

    /** A consumer a, which has everything in epoch 2, and a classic member in epoch 3 that waits for its part. */
    private void mixedGroup() {
        good(joining("a", null));
        classic = group.newId();
        assertThat(now(group.join(classic)).generationId()).isEqualTo(3);
    }

    /** The consumer gives up what is the other's, which joins again. */
    private void joinAgain() {
        Set<Integer> kept = new TreeSet<>();
        good(owning(2, Set.of(0, 1, 2, 3))).assignment().topicPartitions().forEach(of -> kept.addAll(of.partitions()));
        assertThat(good(owning(2, kept)).memberEpoch()).isEqualTo(3);
        assertThat(group.heartbeat(classic, 3)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
        assertThat(now(group.join(classic)).generationId()).isEqualTo(3);
    }

    /** And has its part. */
    private void settle() {
        joinAgain();
        SyncGroupResponseData synced = sync(GroupFixture.syncRequest(classic, 3));
        assertThat(synced.errorCode()).isZero();
        assertThat(ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(synced.assignment()))
                        .partitions())
                .hasSize(2);
    }

    private ConsumerGroupHeartbeatRequestData owning(int epoch, Set<Integer> partitions) {
        return request("a", epoch)
                .setTopicPartitions(
                        List.of(new TopicPartitions().setTopicId(topic).setPartitions(List.copyOf(partitions))));
    }

    private SyncGroupResponseData sync(SyncGroupRequestData request) {
        return now(group.groups.sync(request));
    }

    private Errors syncError(SyncGroupRequestData request) {
        return Errors.forCode(sync(request).errorCode());
    }

    private Errors joinError(JoinGroupRequestData request) {
        return Errors.forCode(now(group.join(request)).errorCode());
    }

    private List<String> members() {
        return now(group.groups.describeConsumers(List.of(GroupFixture.GROUP))).get(0).members().stream()
                .map(Member::memberId)
                .sorted()
                .toList();
    }

    @Test
    void who_has_no_protocol_in_common_does_not_join() {
        mixedGroup();

        assertThat(joinError(GroupFixture.joinRequest("", null, "other")))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(joinError(GroupFixture.joinRequest("", null, "range").setProtocolType("connect")))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(joinError(GroupFixture.joinRequest("", null, "range"))).isEqualTo(Errors.MEMBER_ID_REQUIRED);
    }

    @Test
    void a_full_group_takes_no_classic_member_more() {
        mixedGroup();
        group.consumers = TestConsumerGroups.of(2, MigrationPolicy.BIDIRECTIONAL, 0);

        assertThat(joinError(GroupFixture.joinRequest("", null, "range"))).isEqualTo(Errors.GROUP_MAX_SIZE_REACHED);
        assertThat(joinError(GroupFixture.joinRequest(classic, null, "range"))).isEqualTo(Errors.NONE);
    }

    @Test
    void only_a_classic_member_in_its_generation_is_heard_by_the_classic_protocol() {
        mixedGroup();

        assertThat(group.heartbeat(classic, 3)).isEqualTo(Errors.NONE);
        assertThat(group.heartbeat(classic, 2)).isEqualTo(Errors.ILLEGAL_GENERATION);
        assertThat(group.heartbeat("a", 2)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(group.heartbeat("nobody", 3)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(syncError(GroupFixture.syncRequest(classic, 2))).isEqualTo(Errors.ILLEGAL_GENERATION);
        assertThat(syncError(GroupFixture.syncRequest("a", 2))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void a_sync_of_another_protocol_or_from_before_the_next_target_is_refused() {
        mixedGroup();

        assertThat(syncError(GroupFixture.syncRequest(classic, 3).setProtocolType("connect")))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(syncError(GroupFixture.syncRequest(classic, 3).setProtocolName("other")))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        good(joining("b", null));
        assertThat(syncError(GroupFixture.syncRequest(classic, 3))).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void who_has_joined_and_synced_stays_for_as_long_as_it_is_heard() {
        mixedGroup();
        settle();
        for (int ms = 0; ms < 3 * GroupFixture.REBALANCE_MS; ms += STEP_MS) {
            group.ticker.advance(STEP_MS);
            assertThat(group.heartbeat(classic, 3)).isEqualTo(Errors.NONE);
            good(request("a", 3));
        }
        group.ticker.advance(GroupFixture.SESSION_MS + 1);
        assertThat(members()).containsExactly("a");
    }

    @Test
    void who_joined_and_does_not_sync_in_time_is_out() {
        mixedGroup();
        joinAgain();
        for (int ms = 0; ms < GroupFixture.REBALANCE_MS; ms += STEP_MS) {
            assertThat(group.heartbeat(classic, 3)).isEqualTo(Errors.NONE);
            good(request("a", 3));
            group.ticker.advance(STEP_MS);
        }
        assertThat(members()).containsExactly("a");
    }

    @Test
    void who_is_called_and_does_not_join_again_in_time_is_out() {
        mixedGroup();
        settle();
        group.grow(topic, 4);
        assertThat(good(request("a", 3)).memberEpoch()).isEqualTo(4);
        for (int ms = 0; ms < GroupFixture.REBALANCE_MS; ms += STEP_MS) {
            assertThat(group.heartbeat(classic, 3)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
            good(request("a", 4));
            group.ticker.advance(STEP_MS);
        }
        assertThat(members()).containsExactly("a");
    }

    @Test
    void an_administrator_takes_out_a_member_of_either_protocol_by_its_instance_id() {
        good(joining("a", "i-a"));
        assertThat(now(group.joinStatic("", "i-c")).errorCode()).isZero();
        good(joining("z", null));

        assertThat(group.leave(identity("", "i-c"), identity("", "i-a"), identity("", "nobody"))
                        .members())
                .extracting(left -> Errors.forCode(left.errorCode()))
                .containsExactly(Errors.NONE, Errors.NONE, Errors.UNKNOWN_MEMBER_ID);
        assertThat(members()).containsExactly("z");
    }
}
