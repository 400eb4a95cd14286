package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.LOG;
import static io.barnabas.coordinator.group.GroupFixture.TOPIC_ID;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.commitRequest;
import static io.barnabas.coordinator.group.GroupFixture.identity;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class OffsetsTest {
    private static final long RETENTION_MS = TimeUnit.DAYS.toMillis(7);

    private final GroupFixture group = new GroupFixture();

    private Errors delete(String topic) {
        OffsetDeleteResponseData answer = deleteAnswer(topic);
        return answer.errorCode() != 0
                ? Errors.forCode(answer.errorCode())
                : Errors.forCode(answer.topics()
                        .iterator()
                        .next()
                        .partitions()
                        .iterator()
                        .next()
                        .errorCode());
    }

    private OffsetDeleteResponseData deleteAnswer(String name) {
        OffsetDeleteRequestTopic topic = new OffsetDeleteRequestTopic()
                .setName(name)
                .setPartitions(List.of(new OffsetDeleteRequestPartition().setPartitionIndex(0)));
        OffsetDeleteRequestTopicCollection topics = new OffsetDeleteRequestTopicCollection();
        topics.add(topic);
        return now(group.groups.deleteOffsets(
                new OffsetDeleteRequestData().setGroupId(GROUP).setTopics(topics)));
    }

    private Errors deleteGroup(String id) {
        return Errors.forCode(now(group.groups.delete(List.of(id))).get(0).errorCode());
    }

    // ---- commit

    @Test
    void a_consumer_without_a_group_commits_and_fetches() {
        assertThat(group.commit(5)).isEqualTo(Errors.NONE);
        assertThat(group.fetchedOffset()).isEqualTo(5);
        assertThat(group.fetch(false).metadata()).isEqualTo("note");
        assertThat(group.state()).isEqualTo("Empty");
    }

    @Test
    void a_member_commits_in_its_generation_only() {
        String id = group.stable(1).get(0).memberId();
        assertThat(group.commit(id, 1, 5)).isEqualTo(Errors.NONE);
        assertThat(group.commit(id, 0, 6)).isEqualTo(Errors.ILLEGAL_GENERATION);
        assertThat(group.commit(id, 2, 6)).isEqualTo(Errors.ILLEGAL_GENERATION);
        assertThat(group.commit("x", 1, 6)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(group.commit(6)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
        assertThat(group.fetchedOffset()).isEqualTo(5);
    }

    @Test
    void a_member_commits_while_it_is_called_to_a_rebalance_but_not_before_it_is_assigned() {
        String id = group.stable(1).get(0).memberId();
        group.join(group.newId());
        assertThat(group.commit(id, 1, 5)).isEqualTo(Errors.NONE);

        group.join(id);
        assertThat(group.state()).isEqualTo("CompletingRebalance");
        assertThat(group.commit(id, 2, 6)).isEqualTo(Errors.REBALANCE_IN_PROGRESS);
    }

    @Test
    void a_fenced_static_member_cannot_commit() {
        CompletableFuture<JoinGroupResponseData> join = group.joinStatic("", "a");
        group.ticker.advance(GroupFixture.DELAY_MS);
        group.syncAll(List.of(join));
        now(group.joinStatic("", "a"));
        var request = commitRequest(now(join).memberId(), 1, 5).setGroupInstanceId("a");
        assertThat(Errors.forCode(now(group.groups.commit(client(9), request))
                        .topics()
                        .get(0)
                        .partitions()
                        .get(0)
                        .errorCode()))
                .isEqualTo(Errors.FENCED_INSTANCE_ID);
    }

    @Test
    void a_commit_of_a_generation_to_a_group_that_is_not_there_is_refused_by_version() {
        assertThat(group.commit("x", 1, 5)).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
        var old = now(group.groups.commit(client(8), commitRequest("x", 1, 5)));
        assertThat(old.topics().get(0).partitions().get(0).errorCode()).isEqualTo(Errors.ILLEGAL_GENERATION.code());
    }

    @Test
    void metadata_that_is_too_long_is_refused_for_its_partition() {
        var request = commitRequest("", -1, 5);
        request.topics().get(0).partitions().get(0).setCommittedMetadata("x".repeat(65));
        var answer = now(group.groups.commit(client(9), request));
        assertThat(answer.topics().get(0).partitions().get(0).errorCode())
                .isEqualTo(Errors.OFFSET_METADATA_TOO_LARGE.code());
        assertThat(group.fetchedOffset()).isEqualTo(-1);
    }

    @Test
    void a_commit_that_cannot_be_written_changes_nothing() {
        group.commit(5);
        group.log.refuse(new NotEnoughReplicasException("no"), 1);
        assertThat(group.commit(6)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        group.log.refuse(new NotLeaderOrFollowerException("no"), 1);
        assertThat(group.commit(6)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(group.fetchedOffset()).isEqualTo(5);
    }

    // ---- fetch

    @Test
    void a_partition_without_an_offset_is_answered_minus_one() {
        assertThat(group.fetch(false).committedOffset()).isEqualTo(-1);
        assertThat(group.fetch(false).committedLeaderEpoch()).isEqualTo(-1);
        assertThat(group.fetch(false).errorCode()).isZero();
    }

    @Test
    void all_offsets_of_a_group_are_fetched_where_no_topics_are_named() {
        group.commit(5);
        var all = now(group.groups.fetch(
                client(9), new OffsetFetchRequestGroup().setGroupId(GROUP).setTopics(null), false));
        assertThat(all.topics()).hasSize(1);
        assertThat(all.topics().get(0).partitions().get(0).committedOffset()).isEqualTo(5);
    }

    @Test
    void an_offset_of_an_earlier_topic_of_that_name_is_not_answered_by_id() {
        group.commit(5);
        var request = new OffsetFetchRequestGroup()
                .setGroupId(GROUP)
                .setTopics(List.of(new OffsetFetchRequestTopics()
                        .setName("t")
                        .setTopicId(new Uuid(9, 9))
                        .setPartitionIndexes(List.of(0))));
        var answer = now(group.groups.fetch(client(10), request, false));
        assertThat(answer.topics().get(0).partitions().get(0).committedOffset()).isEqualTo(-1);
        assertThat(answer.topics().get(0).topicId()).isEqualTo(new Uuid(9, 9));
    }

    // ---- expiry

    @Test
    void offsets_without_a_group_live_from_their_commit_on() {
        group.commit(5);
        group.ticker.advance(RETENTION_MS - 1);
        assertThat(group.fetchedOffset()).isEqualTo(5);
        group.ticker.advance(TimeUnit.MINUTES.toMillis(10));
        assertThat(group.fetchedOffset()).isEqualTo(-1);
        assertThat(group.state()).isEqualTo("Dead");
    }

    @Test
    void offsets_of_a_group_live_from_when_its_last_member_left_on() {
        String id = group.stable(1).get(0).memberId();
        group.commit(id, 1, 5);
        for (int i = 0; i < 8 * 24 * 6; i++) {
            for (int j = 0; j < 67; j++) {
                group.ticker.advance(9_000);
                group.heartbeat(id, 1);
            }
        }
        assertThat(group.fetchedOffset()).isEqualTo(5); // it is subscribed to the topic
        group.leave(identity(id, null));
        group.ticker.advance(RETENTION_MS - TimeUnit.MINUTES.toMillis(10));
        assertThat(group.fetchedOffset()).isEqualTo(5);
        group.ticker.advance(TimeUnit.MINUTES.toMillis(20));
        assertThat(group.fetchedOffset()).isEqualTo(-1);
        assertThat(group.state()).isEqualTo("Dead");
    }

    @Test
    void a_retention_time_in_the_commit_counts() {
        now(group.groups.commit(client(4), commitRequest("", -1, 5).setRetentionTimeMs(1_000)));
        group.restart(); // and is in the log
        group.ticker.advance(TimeUnit.MINUTES.toMillis(10));
        assertThat(group.fetchedOffset()).isEqualTo(-1);
    }

    @Test
    void more_tombstones_than_a_batch_holds_go_into_several() {
        for (int i = 0; i < 50; i++) {
            var request = commitRequest("", -1, 5).setGroupId("group-" + i);
            now(group.groups.commit(client(9), request));
        }
        group.log.maxBatchBytes(300);
        group.ticker.advance(RETENTION_MS + TimeUnit.MINUTES.toMillis(10));
        assertThat(now(group.groups.list(List.of(), List.of()))).isEmpty();
    }

    // ---- deletion

    @Test
    void offsets_are_deleted_unless_the_group_is_subscribed() {
        assertThat(delete("t")).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
        String id = group.stable(1).get(0).memberId();
        group.commit(id, 1, 5);
        assertThat(delete("t")).isEqualTo(Errors.GROUP_SUBSCRIBED_TO_TOPIC);
        assertThat(delete("other")).isEqualTo(Errors.NONE);
        group.leave(identity(id, null));
        assertThat(delete("t")).isEqualTo(Errors.NONE);
        assertThat(group.fetchedOffset()).isEqualTo(-1);
    }

    @Test
    void a_group_with_members_that_are_no_consumers_keeps_its_offsets() {
        CompletableFuture<JoinGroupResponseData> join =
                group.join(GroupFixture.joinRequest(group.newId(), null, "x").setProtocolType("connect"));
        group.ticker.advance(GroupFixture.DELAY_MS);
        assertThat(now(join).errorCode()).isZero();
        assertThat(delete("t")).isEqualTo(Errors.NON_EMPTY_GROUP);
    }

    @Test
    void groups_without_members_are_deleted_with_their_offsets() {
        assertThat(deleteGroup("nobody")).isEqualTo(Errors.GROUP_ID_NOT_FOUND);
        String id = group.stable(1).get(0).memberId();
        group.commit(id, 1, 5);
        assertThat(deleteGroup(GROUP)).isEqualTo(Errors.NON_EMPTY_GROUP);
        group.leave(identity(id, null));
        assertThat(deleteGroup(GROUP)).isEqualTo(Errors.NONE);
        assertThat(group.state()).isEqualTo("Dead");
        group.restart();
        assertThat(group.state()).isEqualTo("Dead");
        assertThat(group.fetchedOffset()).isEqualTo(-1);
    }

    @Test
    void offsets_of_a_deleted_topic_go_with_it() {
        group.commit(5);
        group.groups.onTopicsDeleted(Map.of("t", new Uuid(9, 9)));
        assertThat(group.fetchedOffset()).isEqualTo(5);
        group.groups.onTopicsDeleted(Map.of("t", TOPIC_ID));
        assertThat(group.fetchedOffset()).isEqualTo(-1);
    }

    // ---- queries

    @Test
    void groups_are_listed_by_state_and_type() {
        group.stable(1);
        now(group.groups.commit(client(9), commitRequest("", -1, 5).setGroupId("simple")));
        assertThat(now(group.groups.list(List.of(), List.of()))).hasSize(2);
        assertThat(now(group.groups.list(List.of("stable"), List.of())))
                .extracting(listed -> listed.groupId() + " " + listed.groupState() + " " + listed.groupType())
                .containsExactly("g Stable classic");
        assertThat(now(group.groups.list(List.of("Empty"), List.of("Classic")))).hasSize(1);
        assertThat(now(group.groups.list(List.of(), List.of("consumer")))).isEmpty();
    }

    @Test
    void a_group_that_is_not_there_is_described_by_version() {
        assertThat(group.describe().errorCode()).isEqualTo(Errors.GROUP_ID_NOT_FOUND.code());
        var old = now(group.groups.describe(client(5), List.of(GROUP))).get(0);
        assertThat(old.errorCode()).isZero();
        assertThat(old.groupState()).isEqualTo("Dead");
    }

    // ---- restart

    @Test
    void a_restart_changes_nothing() {
        List<JoinGroupResponseData> members = group.stable(3);
        group.commit(members.get(0).memberId(), 1, 5);
        var before = group.describe();
        group.restart();
        assertThat(group.describe()).isEqualTo(before);
        assertThat(group.fetchedOffset()).isEqualTo(5);
        assertThat(group.heartbeat(members.get(2).memberId(), 1)).isEqualTo(Errors.NONE);
        group.ticker.advance(GroupFixture.SESSION_MS);
        assertThat(group.state()).isEqualTo("Empty"); // sessions began anew, and nobody came
    }

    @Test
    void a_partition_that_is_not_led_here_is_said_so() {
        group.groups.onResigned(0);
        assertThat(group.commit(5)).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(group.log.end(LOG)).isZero();
        assertThat(now(group.groups.list(List.of(), List.of()))).isEmpty();
    }
}
