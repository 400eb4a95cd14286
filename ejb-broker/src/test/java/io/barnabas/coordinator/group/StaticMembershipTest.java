package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.DELAY_MS;
import static io.barnabas.coordinator.group.GroupFixture.SESSION_MS;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.identity;
import static io.barnabas.coordinator.group.GroupFixture.joinRequest;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static io.barnabas.coordinator.group.GroupFixture.syncRequest;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** KIP-345: members that keep their place under an instance id. */
class StaticMembershipTest {
    private final GroupFixture group = new GroupFixture();

    private static Errors error(JoinGroupResponseData answer) {
        return Errors.forCode(answer.errorCode());
    }

    /** A stable group of two static members: the leader "a", then "b". */
    private List<JoinGroupResponseData> stable() {
        CompletableFuture<JoinGroupResponseData> a = group.joinStatic("", "a");
        CompletableFuture<JoinGroupResponseData> b = group.joinStatic("", "b");
        group.ticker.advance(2 * DELAY_MS);
        return group.syncAll(List.of(a, b));
    }

    @Test
    void a_static_member_joins_in_one_step_with_an_id_made_of_its_instance_id() {
        CompletableFuture<JoinGroupResponseData> join = group.joinStatic("", "a");
        group.ticker.advance(DELAY_MS);
        assertThat(now(join).memberId()).startsWith("a-");
    }

    @Test
    void a_follower_that_comes_back_has_its_assignment_without_a_rebalance() {
        List<JoinGroupResponseData> members = stable();

        JoinGroupResponseData back = now(group.joinStatic("", "b"));

        assertThat(error(back)).isEqualTo(Errors.NONE);
        assertThat(back.memberId()).isNotEqualTo(members.get(1).memberId());
        assertThat(back.generationId()).isEqualTo(1);
        assertThat(back.skipAssignment()).isFalse();
        assertThat(group.state()).isEqualTo("Stable");
        assertThat(new String(now(group.sync(back)).assignment(), StandardCharsets.UTF_8))
                .isEqualTo("for " + members.get(1).memberId());
    }

    @Test
    void a_leader_that_comes_back_is_told_to_leave_the_assignment_alone() {
        stable();
        JoinGroupResponseData back = now(group.joinStatic("", "a"));
        assertThat(back.leader()).isEqualTo(back.memberId());
        assertThat(back.skipAssignment()).isTrue();
        assertThat(back.members()).hasSize(2);
    }

    @Test
    void an_older_leader_that_comes_back_is_not_told_that_it_leads() {
        List<JoinGroupResponseData> members = stable();
        JoinGroupResponseData back = now(group.groups.join(client(8), joinRequest("", "a", "range")));
        assertThat(back.leader()).isEqualTo(members.get(0).memberId());
        assertThat(back.members()).isEmpty();
    }

    @Test
    void who_is_replaced_is_fenced_everywhere() {
        List<JoinGroupResponseData> members = stable();
        String old = members.get(1).memberId();
        now(group.joinStatic("", "b"));

        assertThat(group.heartbeat(old, "b", 1)).isEqualTo(Errors.FENCED_INSTANCE_ID);
        assertThat(error(now(group.joinStatic(old, "b")))).isEqualTo(Errors.FENCED_INSTANCE_ID);
        assertThat(Errors.forCode(now(group.groups.sync(syncRequest(old, 1).setGroupInstanceId("b")))
                        .errorCode()))
                .isEqualTo(Errors.FENCED_INSTANCE_ID);
        assertThat(group.leave(identity(old, "b")).members().get(0).errorCode())
                .isEqualTo(Errors.FENCED_INSTANCE_ID.code());
        assertThat(group.heartbeat(old, 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(group.heartbeat(old, "c", 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void who_waits_to_join_is_fenced_when_replaced() {
        stable();
        group.join(joinRequest("", "c", "range"));
        CompletableFuture<JoinGroupResponseData> first = group.joinStatic("", "b");
        CompletableFuture<JoinGroupResponseData> second = group.joinStatic("", "b");
        assertThat(error(now(first))).isEqualTo(Errors.FENCED_INSTANCE_ID);
        assertThat(second).isNotDone();
    }

    @Test
    void who_waits_to_sync_is_fenced_when_replaced_and_the_rebalance_begins_anew() {
        CompletableFuture<JoinGroupResponseData> a = group.joinStatic("", "a");
        CompletableFuture<JoinGroupResponseData> b = group.joinStatic("", "b");
        group.ticker.advance(2 * DELAY_MS);
        CompletableFuture<SyncGroupResponseData> waiting = group.sync(now(b));

        CompletableFuture<JoinGroupResponseData> back = group.joinStatic("", "b");

        assertThat(Errors.forCode(now(waiting).errorCode())).isEqualTo(Errors.FENCED_INSTANCE_ID);
        assertThat(back).isNotDone();
        assertThat(group.heartbeat(now(a).memberId(), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void a_member_that_comes_back_with_another_choice_of_protocol_begins_a_rebalance() {
        CompletableFuture<JoinGroupResponseData> a = group.join(joinRequest("", "a", "range", "rr"));
        group.ticker.advance(DELAY_MS);
        group.syncAll(List.of(a));

        CompletableFuture<JoinGroupResponseData> back = group.join(joinRequest("", "a", "rr", "range"));

        assertThat(now(back).generationId()).isEqualTo(2);
        assertThat(now(back).protocolName()).isEqualTo("rr");
    }

    @Test
    void a_replacement_that_cannot_be_written_did_not_happen() {
        List<JoinGroupResponseData> members = stable();
        group.log.refuse(new NotEnoughReplicasException("no"), 1);

        assertThat(error(now(group.joinStatic("", "b")))).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);

        assertThat(group.heartbeat(members.get(1).memberId(), "b", 1)).isEqualTo(Errors.NONE);
        group.ticker.advance(SESSION_MS - 1);
        assertThat(group.describe().members()).hasSize(2);
        group.ticker.advance(1);
        assertThat(group.state()).isEqualTo("Empty"); // and its session runs on
    }

    @Test
    void the_new_id_is_in_the_log_when_it_is_told() {
        stable();
        JoinGroupResponseData back = now(group.joinStatic("", "b"));
        var before = group.assignments();
        group.restart();
        assertThat(group.assignments()).isEqualTo(before);
        assertThat(group.heartbeat(back.memberId(), "b", 1)).isEqualTo(Errors.NONE);
    }

    @Test
    void an_administrator_takes_a_member_out_by_its_instance_id() {
        stable();
        assertThat(group.leave(identity("", "b"), identity("", "nobody")).members())
                .extracting(member -> Errors.forCode(member.errorCode()))
                .containsExactly(Errors.NONE, Errors.UNKNOWN_MEMBER_ID);
        assertThat(group.describe().members()).hasSize(1);
    }

    @Test
    void an_id_given_to_a_dynamic_member_is_no_static_members() {
        String id = group.newId();
        assertThat(error(now(group.joinStatic(id, "a")))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void a_static_member_that_does_not_join_again_stays_until_its_session_ends() {
        List<JoinGroupResponseData> members = stable();
        CompletableFuture<JoinGroupResponseData> a =
                group.join(joinRequest(members.get(0).memberId(), "a", "range"));
        for (int waited = 0; waited < GroupFixture.REBALANCE_MS; waited += 5_000) {
            group.heartbeat(members.get(1).memberId(), "b", 1);
            group.ticker.advance(5_000);
        }
        assertThat(now(a).generationId()).isEqualTo(2);
        assertThat(now(a).members()).hasSize(2);
    }
}
