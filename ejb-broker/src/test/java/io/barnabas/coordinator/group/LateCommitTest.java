package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.LOG;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** What README.md of the runtime claims of commits that come later than their appends, fail, or never come. */
class LateCommitTest {
    private final GroupFixture group = new GroupFixture();

    private CompletableFuture<OffsetFetchResponseGroup> fetchLater() {
        return group.groups.fetch(
                client(9),
                new OffsetFetchRequestGroup()
                        .setGroupId(GROUP)
                        .setTopics(List.of(
                                new OffsetFetchRequestTopics().setName("t").setPartitionIndexes(List.of(0)))),
                false);
    }

    private static long offset(CompletableFuture<OffsetFetchResponseGroup> answer) {
        return now(answer).topics().get(0).partitions().get(0).committedOffset();
    }

    @Test
    void an_answer_waits_for_the_commit_and_so_does_a_read_of_what_it_changed() {
        group.log.holdCommits(true);
        CompletableFuture<Errors> commit = group.commitLater("", -1, 5);
        CompletableFuture<OffsetFetchResponseGroup> fetch = fetchLater();
        assertThat(commit).isNotDone();
        assertThat(fetch).isNotDone();

        group.log.commitAll(LOG);

        assertThat(now(commit)).isEqualTo(Errors.NONE);
        assertThat(offset(fetch)).isEqualTo(5);
    }

    @Test
    void answers_are_given_in_the_order_of_the_log() {
        group.log.holdCommits(true);
        CompletableFuture<Errors> first = group.commitLater("", -1, 5);
        CompletableFuture<Errors> second = group.commitLater("", -1, 6);
        group.log.commitAll(LOG);
        assertThat(first).isDone();
        assertThat(second).isDone();
        assertThat(group.fetchedOffset()).isEqualTo(6);
    }

    @Test
    void an_answer_that_waits_too_long_is_given_up_and_the_record_may_still_count() {
        group.log.holdCommits(true);
        CompletableFuture<Errors> commit = group.commitLater("", -1, 5);
        group.ticker.advance(3_000);
        CompletableFuture<Errors> later = group.commitLater("", -1, 6);
        group.ticker.advance(2_000);
        assertThat(now(commit)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(later).isNotDone();
        group.ticker.advance(3_000);
        assertThat(now(later)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);

        group.log.commitAll(LOG);
        assertThat(group.fetchedOffset()).isEqualTo(6);
    }

    @Test
    void a_lost_commit_makes_the_shard_load_again_without_it() {
        group.commit(5);
        group.log.holdCommits(true);
        CompletableFuture<Errors> lost = group.commitLater("", -1, 6);

        group.log.loseUncommitted(LOG);

        assertThat(now(lost)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(group.commit(7)).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
        group.log.holdCommits(false);
        group.ticker.advance(500);
        assertThat(group.fetchedOffset()).isEqualTo(5);
    }

    @Test
    void an_append_of_unknown_outcome_makes_the_shard_load_again() {
        group.commit(5);
        group.log.refuse(new IllegalStateException("disk on fire"), 1);
        assertThat(group.commit(6)).isEqualTo(Errors.NOT_COORDINATOR);
        group.ticker.advance(500);
        assertThat(group.fetchedOffset()).isEqualTo(5);
    }

    @Test
    void an_assignment_is_told_when_it_is_committed() {
        CompletableFuture<JoinGroupResponseData> join = group.join(group.newId());
        group.ticker.advance(GroupFixture.DELAY_MS);
        group.log.holdCommits(true);
        CompletableFuture<SyncGroupResponseData> sync = group.lead(now(join));
        assertThat(sync).isNotDone();
        group.log.commitAll(LOG);
        assertThat(now(sync).assignment()).isNotEmpty();
    }

    @Test
    void who_waits_is_answered_when_the_broker_resigns() {
        List<JoinGroupResponseData> members = group.stable(2);
        CompletableFuture<JoinGroupResponseData> join =
                group.join(members.get(0).memberId());
        group.log.holdCommits(true);
        CompletableFuture<Errors> commit = group.commitLater(members.get(1).memberId(), 1, 5);

        group.groups.onResigned(0);

        assertThat(now(join).errorCode()).isEqualTo(Errors.NOT_COORDINATOR.code());
        assertThat(now(commit)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(group.ticker.pending()).isZero();
    }

    @Test
    void an_older_leader_cannot_write() {
        group.log.fence(LOG, 5);
        assertThat(group.commit(5)).isEqualTo(Errors.NOT_COORDINATOR);
        group.groups.onElected(0, 5);
        assertThat(group.commit(5)).isEqualTo(Errors.NONE);
    }

    @Test
    void heartbeats_are_good_while_the_shard_loads() {
        group.stable(1);
        group.log.refuse(new IllegalStateException("disk on fire"), 1);
        group.commit("client-1", 1, 5);
        assertThat(now(group.groups.heartbeat(new HeartbeatRequestData()
                                .setGroupId(GROUP)
                                .setMemberId("client-1")
                                .setGenerationId(1)))
                        .errorCode())
                .isZero();
    }
}
