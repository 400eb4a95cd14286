package io.barnabas.simulation;

import io.barnabas.coordinator.group.ClientInfo;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** A consumer: one request at a time, the next one decided by the answer. */
final class GroupMember {
    private static final ClientInfo CLIENT = new ClientInfo((short) 9, "client", "/h");
    private static final int SESSION_MS = 10_000;
    private static final int REBALANCE_MS = 20_000;

    final String group;
    final @Nullable String instanceId;
    private final BrokerSimulation world;
    private String memberId = "";
    private int generation = -1;
    private boolean stable;
    private boolean resubscribed;
    private Set<Integer> owned = Set.of();
    private @Nullable CompletableFuture<?> waiting;
    private int request;

    GroupMember(String group, @Nullable String instanceId, BrokerSimulation world) {
        this.group = group;
        this.instanceId = instanceId;
        this.world = world;
    }

    boolean isStable() {
        return stable;
    }

    Set<Integer> owned() {
        return owned;
    }

    void resubscribe() {
        resubscribed = !resubscribed;
        stable = false;
    }

    /** The connection is gone: the answer will not come. */
    void disconnected() {
        waiting = null;
        request++;
    }

    /** Sends what comes next, if nothing is on the way. */
    void poll() {
        if (waiting != null) {
            return;
        }
        if (stable) {
            heartbeat();
        } else {
            join();
        }
    }

    private <T> void send(CompletableFuture<T> answer, Consumer<T> onAnswer) {
        int sent = ++request;
        waiting = answer;
        world.expect(answer).whenComplete(world.whileAlive((response, failure) -> {
            if (sent != request) {
                return;
            }
            waiting = null;
            if (failure != null) {
                throw new AssertionError("a request ended in " + failure, failure);
            }
            if (!world.losesMessage()) {
                onAnswer.accept(response);
            }
        }));
    }

    private void join() {
        world.disturbed(group);
        JoinGroupRequestData join = new JoinGroupRequestData()
                .setGroupId(group)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setProtocolType("consumer")
                .setSessionTimeoutMs(SESSION_MS)
                .setRebalanceTimeoutMs(REBALANCE_MS);
        for (String protocol : resubscribed ? List.of("range", "rr") : List.of("range")) {
            join.protocols()
                    .add(new JoinGroupRequestProtocol()
                            .setName(protocol)
                            .setMetadata(protocol.getBytes(StandardCharsets.UTF_8)));
        }
        send(world.node().groups.join(CLIENT, join), this::onJoined);
    }

    private void onJoined(JoinGroupResponseData answer) {
        world.note("joined " + group + " " + answer.memberId() + " " + answer.generationId() + " "
                + Errors.forCode(answer.errorCode()));
        switch (Errors.forCode(answer.errorCode())) {
            case NONE -> {
                memberId = answer.memberId();
                generation = answer.generationId();
                sync(answer);
            }
            case MEMBER_ID_REQUIRED -> memberId = answer.memberId();
            default -> onError(Errors.forCode(answer.errorCode()));
        }
    }

    private void sync(JoinGroupResponseData joined) {
        SyncGroupRequestData sync = new SyncGroupRequestData()
                .setGroupId(group)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation)
                .setProtocolType("consumer")
                .setProtocolName(joined.protocolName());
        if (joined.leader().equals(memberId) && !joined.skipAssignment()) {
            List<byte[]> parts = assign(joined.members().size());
            for (int i = 0; i < parts.size(); i++) {
                sync.assignments()
                        .add(new SyncGroupRequestAssignment()
                                .setMemberId(joined.members().get(i).memberId())
                                .setAssignment(parts.get(i)));
            }
        }
        world.disturbed(group);
        send(world.node().groups.sync(sync), this::onSynced);
    }

    private static List<byte[]> assign(int members) {
        List<byte[]> parts = new ArrayList<>();
        for (int member = 0; member < members; member++) {
            StringBuilder part = new StringBuilder();
            for (int partition = member; partition < CommittedOffsets.PARTITIONS; partition += members) {
                part.append(partition);
            }
            parts.add(part.toString().getBytes(StandardCharsets.UTF_8));
        }
        return parts;
    }

    private void onSynced(SyncGroupResponseData answer) {
        Errors error = Errors.forCode(answer.errorCode());
        world.note("synced " + group + " " + memberId + " " + generation + " " + error);
        if (error != Errors.NONE) {
            onError(error);
            return;
        }
        Set<Integer> partitions = new TreeSet<>();
        for (byte digit : answer.assignment()) {
            partitions.add(digit - '0');
        }
        owned = partitions;
        stable = true;
        world.offsets().onAssigned(group, generation, instanceId == null ? memberId : instanceId, partitions);
    }

    private void heartbeat() {
        HeartbeatRequestData heartbeat = new HeartbeatRequestData()
                .setGroupId(group)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation);
        send(world.node().groups.heartbeat(heartbeat), answer -> onError(Errors.forCode(answer.errorCode())));
    }

    /** Commits the next offset of one of its partitions. */
    void commit(int choice) {
        if (!stable || waiting != null || owned.isEmpty()) {
            return;
        }
        int partition = List.copyOf(owned).get(choice % owned.size());
        commit(partition, world.offsets().next());
    }

    private void commit(int partition, long offset) {
        OffsetCommitRequestData commit =
                commitRequest(group, partition, offset).setGenerationIdOrMemberEpoch(generation);
        commit.setMemberId(memberId).setGroupInstanceId(instanceId);
        send(world.node().groups.commit(CLIENT, commit), answer -> {
            Errors error = error(answer);
            if (error == Errors.NONE) {
                world.note("committed " + group + " " + partition + " " + offset);
                world.offsets().onCommitted(group, partition, offset);
            }
            onError(error);
        });
    }

    static OffsetCommitRequestData commitRequest(String group, int partition, long offset) {
        return new OffsetCommitRequestData()
                .setGroupId(group)
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setName("t")
                        .setPartitions(List.of(new OffsetCommitRequestPartition()
                                .setPartitionIndex(partition)
                                .setCommittedOffset(offset)
                                .setCommittedMetadata("")))));
    }

    static Errors error(OffsetCommitResponseData answer) {
        return Errors.forCode(answer.topics().get(0).partitions().get(0).errorCode());
    }

    void leave() {
        if (!memberId.isEmpty()) {
            world.disturbed(group);
            world.expect(world.node()
                    .groups
                    .leave(new LeaveGroupRequestData()
                            .setGroupId(group)
                            .setMembers(List.of(
                                    new MemberIdentity().setMemberId(memberId).setGroupInstanceId(instanceId)))));
        }
    }

    private void onError(Errors error) {
        switch (error) {
            case NONE -> {}
            case REBALANCE_IN_PROGRESS -> stable = false;
            case UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, GROUP_ID_NOT_FOUND -> {
                world.note("out " + group + " " + memberId + " " + error);
                stable = false;
                memberId = "";
                generation = -1;
                owned = Set.of();
            }
            case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS -> {} // again
            default -> throw new AssertionError("a member was answered " + error);
        }
    }
}
