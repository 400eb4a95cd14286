package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.DELAY_MS;
import static io.barnabas.coordinator.group.GroupFixture.REBALANCE_MS;
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
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class MembershipTest {
    private final GroupFixture group = new GroupFixture();

    private static Errors error(JoinGroupResponseData answer) {
        return Errors.forCode(answer.errorCode());
    }

    private static Errors error(CompletableFuture<SyncGroupResponseData> answer) {
        return Errors.forCode(now(answer).errorCode());
    }

    // ---- joining

    @Test
    void a_new_member_is_sent_back_for_its_id_and_joins_with_it() {
        String id = group.newId();
        assertThat(id).startsWith("client-");
        assertThat(group.state()).isEqualTo("Empty");

        CompletableFuture<JoinGroupResponseData> join = group.join(id);
        assertThat(join).isNotDone();
        assertThat(group.state()).isEqualTo("PreparingRebalance");

        group.ticker.advance(DELAY_MS);
        assertThat(now(join).generationId()).isEqualTo(1);
        assertThat(now(join).leader()).isEqualTo(id);
        assertThat(now(join).protocolName()).isEqualTo("range");
        assertThat(now(join).members()).hasSize(1);
        assertThat(group.state()).isEqualTo("CompletingRebalance");
    }

    @Test
    void an_old_client_joins_in_one_step() {
        CompletableFuture<JoinGroupResponseData> join = group.groups.join(client(3), joinRequest("", null, "range"));
        group.ticker.advance(DELAY_MS);

        assertThat(now(join).memberId()).startsWith("client-");
        assertThat(error(now(join))).isEqualTo(Errors.NONE);
    }

    @Test
    void version_0_has_its_session_for_a_rebalance_timeout() {
        CompletableFuture<JoinGroupResponseData> first =
                group.groups.join(client(0), joinRequest("", null, "range").setRebalanceTimeoutMs(-1));
        group.ticker.advance(DELAY_MS);
        group.syncAll(List.of(first));
        group.groups.join(client(0), joinRequest("", null, "range").setRebalanceTimeoutMs(-1));

        assertThat(group.heartbeat(now(first).memberId(), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
        group.ticker.advance(SESSION_MS - 1);
        assertThat(group.describe().members()).hasSize(2);
        group.ticker.advance(1);
        assertThat(group.describe().members()).hasSize(1);
    }

    @Test
    void members_that_come_within_the_initial_delay_prolong_it_and_share_a_generation() {
        CompletableFuture<JoinGroupResponseData> first = group.join(group.newId());
        group.ticker.advance(DELAY_MS - 1);
        CompletableFuture<JoinGroupResponseData> second = group.join(group.newId());
        group.ticker.advance(1);
        assertThat(first).isNotDone();

        group.ticker.advance(DELAY_MS);

        assertThat(now(first).generationId()).isEqualTo(1);
        assertThat(now(second).generationId()).isEqualTo(1);
        assertThat(now(first).members()).hasSize(2);
        assertThat(now(second).members()).isEmpty();
    }

    @Test
    void the_initial_delay_ends_with_the_rebalance_timeout_however_many_come() {
        CompletableFuture<JoinGroupResponseData> first = group.join(group.newId());
        for (int i = 0; i < REBALANCE_MS / 2_000; i++) {
            group.ticker.advance(2_000);
            group.join(group.newId());
        }
        assertThat(first).isDone();
    }

    @Test
    void a_session_timeout_out_of_bounds_is_refused() {
        assertThat(error(now(group.join(joinRequest("", null, "range").setSessionTimeoutMs(5_999)))))
                .isEqualTo(Errors.INVALID_SESSION_TIMEOUT);
        assertThat(error(now(group.join(joinRequest("", null, "range").setSessionTimeoutMs(1_800_001)))))
                .isEqualTo(Errors.INVALID_SESSION_TIMEOUT);
    }

    @Test
    void an_empty_group_id_is_refused() {
        assertThat(error(now(group.join(joinRequest("", null, "range").setGroupId("")))))
                .isEqualTo(Errors.INVALID_GROUP_ID);
    }

    @Test
    void an_id_that_was_not_given_out_is_unknown() {
        assertThat(error(now(group.join("stranger")))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        group.stable(1);
        assertThat(error(now(group.join("stranger")))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void an_id_that_is_not_used_within_the_session_is_forgotten_and_holds_up_nobody() {
        JoinGroupResponseData member = group.stable(1).get(0);
        String unused = group.newId();
        CompletableFuture<JoinGroupResponseData> again = group.join(member.memberId());
        assertThat(again).isNotDone();

        group.ticker.advance(SESSION_MS);

        assertThat(now(again).generationId()).isEqualTo(2);
        assertThat(error(now(group.join(unused)))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void protocols_without_one_in_common_are_refused() {
        group.stable(1);
        assertThat(error(now(group.join(joinRequest("", null, "roundrobin")))))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(error(now(group.join(joinRequest("", null, "range").setProtocolType("connect")))))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(error(now(group.join(joinRequest("", null))))).isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
    }

    @Test
    void a_protocol_that_is_named_twice_does_no_harm() {
        String id = group.newId();
        CompletableFuture<JoinGroupResponseData> join = group.join(joinRequest(id, null, "range", "range"));
        group.ticker.advance(DELAY_MS);
        assertThat(now(join).protocolName()).isEqualTo("range");
    }

    @Test
    void the_protocol_with_most_votes_among_the_common_ones_is_chosen() {
        CompletableFuture<JoinGroupResponseData> a = group.join(joinRequest(group.newId(), null, "x", "range", "rr"));
        CompletableFuture<JoinGroupResponseData> b = group.join(joinRequest(group.newId(), null, "rr", "range"));
        CompletableFuture<JoinGroupResponseData> c = group.join(joinRequest(group.newId(), null, "rr", "range"));
        group.ticker.advance(2 * DELAY_MS);
        assertThat(List.of(now(a), now(b), now(c)))
                .extracting(JoinGroupResponseData::protocolName)
                .containsOnly("rr");
    }

    @Test
    void a_full_group_takes_nobody_more_but_lets_its_members_join_again() {
        GroupFixture full = new GroupFixture(2);
        List<JoinGroupResponseData> members = full.stable(2);

        assertThat(error(now(full.join("")))).isEqualTo(Errors.GROUP_MAX_SIZE_REACHED);
        CompletableFuture<JoinGroupResponseData> leader =
                full.join(members.get(0).memberId());
        CompletableFuture<JoinGroupResponseData> other =
                full.join(members.get(1).memberId());
        assertThat(error(now(leader))).isEqualTo(Errors.NONE);
        assertThat(error(now(other))).isEqualTo(Errors.NONE);
    }

    @Test
    void a_follower_that_joins_again_unchanged_learns_the_present_generation() {
        List<JoinGroupResponseData> members = group.stable(2);
        assertThat(now(group.join(members.get(1).memberId())).generationId()).isEqualTo(1);
        assertThat(group.state()).isEqualTo("Stable");
    }

    @Test
    void a_follower_that_joins_again_with_other_metadata_begins_a_rebalance() {
        List<JoinGroupResponseData> members = group.stable(2);
        CompletableFuture<JoinGroupResponseData> changed =
                group.join(joinRequest(members.get(1).memberId(), null, "range", "rr"));
        assertThat(changed).isNotDone();
        assertThat(group.heartbeat(members.get(0).memberId(), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void the_leader_may_begin_a_rebalance_at_any_time() {
        List<JoinGroupResponseData> members = group.stable(2);
        CompletableFuture<JoinGroupResponseData> leader =
                group.join(members.get(0).memberId());
        CompletableFuture<JoinGroupResponseData> follower =
                group.join(members.get(1).memberId());
        assertThat(now(leader).generationId()).isEqualTo(2);
        assertThat(now(follower).generationId()).isEqualTo(2);
    }

    @Test
    void a_member_that_missed_the_answer_to_its_join_gets_it_again() {
        CompletableFuture<JoinGroupResponseData> join = group.join(group.newId());
        group.ticker.advance(DELAY_MS);
        JoinGroupResponseData again = now(group.join(now(join).memberId()));
        assertThat(again.generationId()).isEqualTo(1);
        assertThat(again.members()).hasSize(1);
    }

    @Test
    void a_member_that_joins_twice_leaves_no_request_unanswered() {
        String id = group.newId();
        CompletableFuture<JoinGroupResponseData> first = group.join(id);
        CompletableFuture<JoinGroupResponseData> second = group.join(id);
        assertThat(error(now(first))).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
        group.ticker.advance(DELAY_MS);
        assertThat(error(now(second))).isEqualTo(Errors.NONE);
    }

    @Test
    void members_that_do_not_come_within_the_rebalance_timeout_are_out_and_another_leads() {
        List<JoinGroupResponseData> members = group.stable(2);
        String follower = members.get(1).memberId();
        CompletableFuture<JoinGroupResponseData> join = group.join(joinRequest(follower, null, "range", "rr"));
        for (int waited = 0; waited < REBALANCE_MS; waited += 5_000) {
            group.heartbeat(members.get(0).memberId(), 1);
            group.ticker.advance(5_000);
        }
        assertThat(now(join).leader()).isEqualTo(follower);
        assertThat(now(join).members()).hasSize(1);
        assertThat(group.heartbeat(members.get(0).memberId(), 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void a_new_member_that_waits_too_long_is_told_to_come_anew() {
        List<JoinGroupResponseData> members = group.stable(1);
        CompletableFuture<JoinGroupResponseData> join =
                group.join(joinRequest(group.newId(), null, "range").setRebalanceTimeoutMs(600_000));
        for (int waited = 0; waited < 300_000; waited += 5_000) {
            group.heartbeat(members.get(0).memberId(), 1);
            group.ticker.advance(5_000);
        }
        assertThat(error(now(join))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void a_group_that_cannot_be_written_is_not_made() {
        group.log.refuse(new NotEnoughReplicasException("no"), 1);
        assertThat(error(now(group.join("")))).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(group.state()).isEqualTo("Dead");
    }

    // ---- syncing

    @Test
    void everybody_gets_their_part_when_the_leader_has_assigned() {
        CompletableFuture<JoinGroupResponseData> a = group.join(group.newId());
        CompletableFuture<JoinGroupResponseData> b = group.join(group.newId());
        group.ticker.advance(2 * DELAY_MS);

        CompletableFuture<SyncGroupResponseData> follower = group.sync(now(b));
        assertThat(follower).isNotDone();
        CompletableFuture<SyncGroupResponseData> leader = group.lead(now(a));

        assertThat(new String(now(follower).assignment(), StandardCharsets.UTF_8))
                .isEqualTo("for " + now(b).memberId());
        assertThat(now(leader).protocolName()).isEqualTo("range");
        assertThat(group.state()).isEqualTo("Stable");
        assertThat(new String(now(group.sync(now(b))).assignment(), StandardCharsets.UTF_8))
                .isEqualTo("for " + now(b).memberId());
    }

    @Test
    void sync_is_checked() {
        assertThat(error(group.groups.sync(syncRequest("x", 1)))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        String id = group.stable(1).get(0).memberId();
        assertThat(error(group.groups.sync(syncRequest("x", 1)))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(error(group.groups.sync(syncRequest(id, 2)))).isEqualTo(Errors.ILLEGAL_GENERATION);
        assertThat(error(group.groups.sync(syncRequest(id, 1).setProtocolName("rr"))))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(error(group.groups.sync(syncRequest(id, 1).setProtocolType("connect"))))
                .isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
        assertThat(error(group.groups.sync(syncRequest(id, 1).setGroupId("")))).isEqualTo(Errors.INVALID_GROUP_ID);
    }

    @Test
    void a_sync_during_the_next_rebalance_is_told_so() {
        JoinGroupResponseData member = group.stable(1).get(0);
        group.join(group.newId());
        assertThat(error(group.sync(member))).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void members_that_wait_for_the_assignment_are_called_back_when_another_joins() {
        CompletableFuture<JoinGroupResponseData> a = group.join(group.newId());
        CompletableFuture<JoinGroupResponseData> b = group.join(group.newId());
        group.ticker.advance(2 * DELAY_MS);
        CompletableFuture<SyncGroupResponseData> follower = group.sync(now(b));

        group.join(group.newId());

        assertThat(error(follower)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
        assertThat(error(group.lead(now(a)))).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void members_that_do_not_sync_in_time_are_out() {
        CompletableFuture<JoinGroupResponseData> a = group.join(group.newId());
        CompletableFuture<JoinGroupResponseData> b = group.join(group.newId());
        group.ticker.advance(2 * DELAY_MS);
        CompletableFuture<SyncGroupResponseData> follower = group.sync(now(b));
        for (int waited = 0; waited < REBALANCE_MS; waited += 5_000) {
            group.heartbeat(now(a).memberId(), 1);
            group.ticker.advance(5_000);
        }
        assertThat(error(follower)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
        assertThat(group.describe().members()).hasSize(1);
    }

    @Test
    void an_assignment_that_cannot_be_written_begins_the_rebalance_anew() {
        CompletableFuture<JoinGroupResponseData> a = group.join(group.newId());
        CompletableFuture<JoinGroupResponseData> b = group.join(group.newId());
        group.ticker.advance(2 * DELAY_MS);
        CompletableFuture<SyncGroupResponseData> follower = group.sync(now(b));

        group.log.refuse(new NotEnoughReplicasException("no"), 1);

        assertThat(error(group.lead(now(a)))).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(error(follower)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(group.state()).isEqualTo("PreparingRebalance");
        CompletableFuture<JoinGroupResponseData> againA = group.join(now(a).memberId());
        CompletableFuture<JoinGroupResponseData> againB = group.join(now(b).memberId());
        group.syncAll(List.of(againA, againB));
        assertThat(group.state()).isEqualTo("Stable");
    }

    // ---- heartbeats and sessions

    @Test
    void heartbeats_are_checked() {
        assertThat(group.heartbeat("x", 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        String id = group.stable(1).get(0).memberId();
        assertThat(group.heartbeat(id, 1)).isEqualTo(Errors.NONE);
        assertThat(group.heartbeat(id, 0)).isEqualTo(Errors.ILLEGAL_GENERATION);
        assertThat(group.heartbeat("x", 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void heartbeats_keep_the_session_and_their_absence_ends_it() {
        String id = group.stable(1).get(0).memberId();
        for (int i = 0; i < 10; i++) {
            group.ticker.advance(SESSION_MS - 1);
            assertThat(group.heartbeat(id, 1)).isEqualTo(Errors.NONE);
        }
        group.ticker.advance(SESSION_MS - 1);
        assertThat(group.state()).isEqualTo("Stable");
        group.ticker.advance(1);
        assertThat(group.state()).isEqualTo("Empty");
        assertThat(group.heartbeat(id, 1)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void commits_keep_the_session_too() {
        String id = group.stable(1).get(0).memberId();
        group.ticker.advance(SESSION_MS - 1);
        group.commit(id, 1, 5);
        group.ticker.advance(SESSION_MS - 1);
        assertThat(group.state()).isEqualTo("Stable");
    }

    @Test
    void a_member_that_waits_to_join_is_not_out_for_want_of_heartbeats() {
        List<JoinGroupResponseData> members = group.stable(2);
        CompletableFuture<JoinGroupResponseData> join =
                group.join(members.get(0).memberId());
        for (int waited = 0; waited < REBALANCE_MS - 5_000; waited += 5_000) {
            group.heartbeat(members.get(1).memberId(), 1);
            group.ticker.advance(5_000);
        }
        assertThat(join).isNotDone();
        assertThat(group.describe().members()).hasSize(2);
    }

    // ---- leaving

    @Test
    void the_last_member_leaves_the_group_empty() {
        String id = group.stable(1).get(0).memberId();
        assertThat(group.leave(identity(id, null)).members().get(0).errorCode()).isZero();
        assertThat(group.state()).isEqualTo("Empty");
        assertThat(group.ticker.pending()).isLessThanOrEqualTo(1); // the look for expired offsets
    }

    @Test
    void several_leave_at_once_and_each_has_an_answer() {
        List<JoinGroupResponseData> members = group.stable(3);
        var answer = group.leave(
                identity(members.get(0).memberId(), null),
                identity("stranger", null),
                identity(members.get(1).memberId(), null));
        assertThat(answer.members())
                .extracting(member -> Errors.forCode(member.errorCode()))
                .containsExactly(Errors.NONE, Errors.UNKNOWN_MEMBER_ID, Errors.NONE);
        assertThat(group.heartbeat(members.get(2).memberId(), 1)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void leaving_a_group_that_is_not_there_is_answered_for_each_member() {
        var answer = group.leave(identity("x", null));
        assertThat(answer.errorCode()).isZero();
        assertThat(answer.members().get(0).errorCode()).isEqualTo(Errors.UNKNOWN_MEMBER_ID.code());
    }

    @Test
    void a_member_that_leaves_while_it_waits_has_its_requests_answered() {
        CompletableFuture<JoinGroupResponseData> a = group.join(group.newId());
        CompletableFuture<JoinGroupResponseData> b = group.join(group.newId());
        group.ticker.advance(2 * DELAY_MS);
        CompletableFuture<SyncGroupResponseData> waiting = group.sync(now(b));

        group.leave(identity(now(b).memberId(), null));

        assertThat(error(waiting)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(error(now(group.join(now(a).memberId())))).isEqualTo(Errors.NONE);
    }

    @Test
    void an_id_that_is_given_back_holds_up_nobody() {
        JoinGroupResponseData member = group.stable(1).get(0);
        String unused = group.newId();
        CompletableFuture<JoinGroupResponseData> again = group.join(member.memberId());
        group.leave(identity(unused, null));
        assertThat(error(now(again))).isEqualTo(Errors.NONE);
    }

    @Test
    void protocol_metadata_reaches_the_leader_as_it_was_sent() {
        var request = joinRequest(group.newId(), null);
        request.protocols().add(new JoinGroupRequestProtocol().setName("x").setMetadata(new byte[] {1, 2, 3}));
        request.setProtocolType("connect");
        CompletableFuture<JoinGroupResponseData> join = group.join(request);
        group.ticker.advance(DELAY_MS);
        assertThat(now(join).members().get(0).metadata()).containsExactly(1, 2, 3);
        assertThat(now(join).protocolType()).isEqualTo("connect");
    }

    @Test
    void ids_that_nobody_comes_back_with_are_forgotten_from_the_oldest_on() {
        String oldest = group.newId();
        String second = group.newId();
        for (int i = 1; i < ClassicGroup.PENDING_JOINS_MAX; i++) {
            group.newId();
        }

        assertThat(error(now(group.join(oldest)))).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(group.join(second)).isNotDone();
    }
}
