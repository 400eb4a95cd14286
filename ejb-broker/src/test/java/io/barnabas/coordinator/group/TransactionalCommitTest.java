package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.ConsumerRequests.joining;
import static io.barnabas.coordinator.group.ConsumerRequests.request;
import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may commit offsets in a transaction, and what the others are told: from version 6 on what it is, before what old clients know. */
class TransactionalCommitTest {
    private final GroupFixture group = new GroupFixture();
    private final Uuid topic = group.createTopic("t", 4);
    private final Map<String, String> ids = new HashMap<>(Map.of("unknown", "x", "nobody", ""));

    private Errors commit(int version, String memberId, @Nullable String instanceId, int epoch, int partition) {
        TxnOffsetCommitRequestData request = new TxnOffsetCommitRequestData()
                .setTransactionalId("tx")
                .setGroupId(GROUP)
                .setProducerId(1)
                .setProducerEpoch((short) 0)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationIdOrMemberEpoch(epoch)
                .setTopics(List.of(new TxnOffsetCommitRequestTopic()
                        .setName("t")
                        .setTopicId(topic)
                        .setPartitions(List.of(new TxnOffsetCommitRequestPartition()
                                .setPartitionIndex(partition)
                                .setCommittedOffset(5)))));
        return Errors.forCode(now(group.groups.commitInTransaction(client(version), request, 0))
                .topics()
                .get(0)
                .partitions()
                .get(0)
                .errorCode());
    }

    private ConsumerGroupHeartbeatResponseData send(ConsumerGroupHeartbeatRequestData request) {
        ConsumerGroupHeartbeatResponseData answer = now(group.groups.consumerHeartbeat(client(1), request));
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
        return answer;
    }

    private void make(String kind) {
        switch (kind) {
            case "classic" -> makeClassic();
            case "consumer" -> makeConsumer();
            case "mixed" -> makeMixed();
            default -> {} // there is none
        }
    }

    /** Generation 1; a static member came back under another id. */
    private void makeClassic() {
        CompletableFuture<JoinGroupResponseData> join = group.joinStatic("", "i");
        group.ticker.advance(GroupFixture.DELAY_MS);
        group.syncAll(List.of(join));
        ids.put("former", now(join).memberId());
        ids.put("present", now(group.joinStatic("", "i")).memberId());
    }

    /** A static member that came back under another id, with epoch 2, and one that has epoch 3 and nothing assigned yet. */
    private void makeConsumer() {
        send(joining("a", "i"));
        send(request("a", -2).setInstanceId("i"));
        send(joining("b", "i"));
        assertThat(send(joining("c", null)).memberEpoch()).isEqualTo(3);
        ids.putAll(Map.of("former", "a", "successor", "b", "present", "c"));
    }

    /** Epoch 3; the present member is a classic one, which has nothing assigned yet. */
    private void makeMixed() {
        send(joining("a", null));
        ids.put("present", group.newId());
        JoinGroupResponseData joined = now(group.join(ids.get("present")));
        assertThat(joined.generationId()).isEqualTo(3);
    }

    @ParameterizedTest(name = "{0} group, {1} with instance {2} and epoch {3}: {4}, from version 6 on {5}")
    @CsvSource({
        "classic, present, i, 1, NONE, NONE",
        "classic, present, , 1, NONE, NONE",
        "classic, present, i, 0, ILLEGAL_GENERATION, ILLEGAL_GENERATION",
        "classic, present, i, 2, ILLEGAL_GENERATION, ILLEGAL_GENERATION",
        "classic, present, i, -1, ILLEGAL_GENERATION, ILLEGAL_GENERATION",
        "classic, present, j, 1, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "classic, former, i, 1, FENCED_INSTANCE_ID, FENCED_INSTANCE_ID",
        "classic, former, , 1, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "classic, unknown, , 1, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "classic, nobody, , 1, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "classic, nobody, , -1, NONE, NONE",
        "consumer, successor, i, 2, NONE, NONE",
        "consumer, successor, , 2, NONE, NONE",
        "consumer, present, , 3, NONE, NONE",
        "consumer, present, , 2, ILLEGAL_GENERATION, STALE_MEMBER_EPOCH",
        "consumer, present, , 4, ILLEGAL_GENERATION, STALE_MEMBER_EPOCH",
        "consumer, successor, i, 3, ILLEGAL_GENERATION, STALE_MEMBER_EPOCH",
        "consumer, former, i, 2, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "consumer, unknown, , 2, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "consumer, nobody, i, -1, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "consumer, nobody, , -1, NONE, NONE",
        "consumer, nobody, , -2, UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER_ID",
        "mixed, present, , 3, NONE, NONE",
        "mixed, present, , 2, ILLEGAL_GENERATION, ILLEGAL_GENERATION",
        "mixed, present, , 4, ILLEGAL_GENERATION, ILLEGAL_GENERATION",
        "absent, unknown, , 1, ILLEGAL_GENERATION, GROUP_ID_NOT_FOUND",
        "absent, unknown, , -1, NONE, NONE",
        "absent, nobody, , -1, NONE, NONE"
    })
    void who_commits_is_checked_before_anything_is_pending(
            String kind, String member, @Nullable String instanceId, int epoch, Errors before, Errors from6) {
        make(kind);

        assertThat(commit(5, ids.get(member), instanceId, epoch, 0)).isEqualTo(before);
        assertThat(commit(6, ids.get(member), instanceId, epoch, 0)).isEqualTo(from6);

        assertThat(Errors.forCode(group.fetch(true).errorCode()))
                .isEqualTo(before == Errors.NONE ? Errors.UNSTABLE_OFFSET_COMMIT : Errors.NONE);
        assertThat(group.fetchedOffset()).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({"5, ILLEGAL_GENERATION", "6, STALE_MEMBER_EPOCH"})
    void the_epoch_before_counts_for_what_the_member_has_had_since_and_for_nothing_else(int version, Errors stale) {
        send(joining("a", null));
        send(joining("b", null));
        Set<Integer> kept = assigned(send(owning("a", 2, Set.of(0, 1, 2, 3))));
        assertThat(send(owning("a", 2, kept)).memberEpoch()).isEqualTo(3);
        Set<Integer> given = new HashSet<>(Set.of(0, 1, 2, 3));
        given.removeAll(kept);

        assertThat(commit(version, "a", null, 2, kept.iterator().next())).isEqualTo(Errors.NONE);
        assertThat(commit(version, "a", null, 2, given.iterator().next())).isEqualTo(stale);
    }

    private ConsumerGroupHeartbeatRequestData owning(String memberId, int epoch, Set<Integer> partitions) {
        return request(memberId, epoch)
                .setTopicPartitions(
                        List.of(new TopicPartitions().setTopicId(topic).setPartitions(List.copyOf(partitions))));
    }

    private static Set<Integer> assigned(ConsumerGroupHeartbeatResponseData answer) {
        Set<Integer> partitions = new HashSet<>();
        answer.assignment().topicPartitions().forEach(of -> partitions.addAll(of.partitions()));
        return partitions;
    }
}
