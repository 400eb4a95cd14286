package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.ConsumerRequests.joining;
import static io.barnabas.coordinator.group.ConsumerRequests.request;
import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which way a group with members changes its protocol under group.consumer.migration.policy, as the broker's key sets it. */
class MigrationPolicyTest {
    private static final int PARTITIONS = 4;

    private final GroupFixture group = new GroupFixture();

    MigrationPolicyTest() {
        group.createTopic("t", PARTITIONS);
    }

    private void configure(Map<String, String> broker) {
        LiveConfig config = new LiveConfig(BrokerConfig.of(broker));
        group.consumers = ConsumerGroupSettings.of(config, group.metadata::image);
    }

    private void configure(String policy) {
        configure(Map.of("group.consumer.migration.policy", policy, "group.consumer.assignment.interval.ms", "0"));
    }

    private Errors send(ConsumerGroupHeartbeatRequestData request) {
        return Errors.forCode(
                now(group.groups.consumerHeartbeat(client(1), request)).errorCode());
    }

    private String type() {
        return now(group.groups.list(List.of(), List.of())).stream()
                .filter(listed -> listed.groupId().equals(GROUP))
                .findFirst()
                .orElseThrow()
                .groupType();
    }

    /** A stable classic group whose only member has everything, in the form that consumers read. */
    private JoinGroupResponseData classicGroup() {
        CompletableFuture<JoinGroupResponseData> join = group.join(group.newId());
        group.ticker.advance(GroupFixture.DELAY_MS);
        JoinGroupResponseData leader = now(join);
        assertThat(sync(leader)).isEqualTo(Errors.NONE);
        return leader;
    }

    private Errors sync(JoinGroupResponseData leader) {
        SyncGroupRequestData sync = GroupFixture.syncRequest(leader.memberId(), leader.generationId());
        Assignment everything = new Assignment(IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition("t", partition))
                .toList());
        sync.assignments()
                .add(new SyncGroupRequestAssignment()
                        .setMemberId(leader.memberId())
                        .setAssignment(Utils.toArray(ConsumerProtocol.serializeAssignment(everything))));
        return Errors.forCode(now(group.groups.sync(sync)).errorCode());
    }

    @ParameterizedTest
    @CsvSource({"disabled, false", "downgrade, false", "upgrade, true", "bidirectional, true"})
    void a_classic_group_becomes_a_consumer_group_where_the_policy_allows_the_upgrade(String policy, boolean changes) {
        configure(policy);
        JoinGroupResponseData classic = classicGroup();

        Errors joined = send(joining("a", null));

        assertThat(joined).isEqualTo(changes ? Errors.NONE : Errors.GROUP_ID_NOT_FOUND);
        group.restart(); // it is in the log, too
        assertThat(type()).isEqualTo(changes ? "consumer" : "classic");
        assertThat(group.heartbeat(classic.memberId(), classic.generationId()))
                .as("the classic member is in the group, and called to join again if there is a new one")
                .isEqualTo(changes ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE);
    }

    @Test
    void what_a_cooperative_member_has_is_nobody_elses_after_the_change_though_its_last_sync_failed() {
        // Given a member that joins again and keeps what it has, and an assignment that cannot be written
        configure("bidirectional");
        JoinGroupResponseData again = now(group.join(classicGroup().memberId()));
        group.log.refuse(new NotEnoughReplicasException("no"), 1);
        assertThat(sync(again)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        // When
        var joined = now(group.groups.consumerHeartbeat(client(1), joining("a", null)));
        // Then
        assertThat(Errors.forCode(joined.errorCode())).isEqualTo(Errors.NONE);
        assertThat(joined.assignment().topicPartitions())
                .as("it has yet to be given up")
                .isEmpty();
        assertThat(joined.heartbeatIntervalMs())
                .as("a classic member takes its time")
                .isEqualTo(5_000);
    }

    @Test
    void both_ways_are_allowed_where_nothing_is_set() {
        configure(Map.of());
        classicGroup();

        assertThat(send(joining("a", null))).isEqualTo(Errors.NONE);
        assertThat(send(request("a", -1))).isEqualTo(Errors.NONE);

        assertThat(type()).isEqualTo("classic");
    }

    /** A consumer group of a member of its own protocol and one of the classic protocol, whose id is returned. */
    private String mixedGroup(@Nullable String instanceId) {
        configure("bidirectional");
        assertThat(send(joining("a", instanceId))).isEqualTo(Errors.NONE);
        String classic = group.newId();
        assertThat(now(group.join(classic)).errorCode()).isZero();
        assertThat(type()).isEqualTo("consumer");
        return classic;
    }

    private List<String> consumers() {
        return now(group.groups.describeConsumers(List.of(GROUP))).get(0).members().stream()
                .map(member -> member.memberId())
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"disabled, false", "downgrade, true", "upgrade, false", "bidirectional, true"})
    void a_consumer_group_becomes_a_classic_group_with_its_last_consumer_where_the_policy_allows_the_downgrade(
            String policy, boolean changes) {
        String classic = mixedGroup(null);
        configure(policy);

        assertThat(send(request("a", -1))).isEqualTo(Errors.NONE);

        group.restart();
        assertThat(type()).isEqualTo(changes ? "classic" : "consumer");
        assertThat(changes ? group.assignments().keySet() : consumers()).containsExactly(classic);
    }

    @ParameterizedTest
    @CsvSource({
        "disabled, INCONSISTENT_GROUP_PROTOCOL, consumer",
        "downgrade, NONE, classic",
        "upgrade, NONE, consumer",
        "bidirectional, NONE, classic"
    })
    void a_static_consumer_that_comes_back_as_a_classic_one_changes_the_group_where_the_policy_allows_it(
            String policy, Errors answer, String type) {
        mixedGroup("i");
        assertThat(send(request("a", -2).setInstanceId("i"))).isEqualTo(Errors.NONE);
        configure(policy);

        JoinGroupResponseData back = now(group.joinStatic("", "i"));

        assertThat(Errors.forCode(back.errorCode())).isEqualTo(answer);
        group.restart();
        assertThat(type()).isEqualTo(type);
    }
}
