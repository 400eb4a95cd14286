package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** A consumer as the simulation has it: one request at a time, each decided when the answer to the one before is there. */
final class SimulatedMember {
    /** Partitions of the one topic that the group reads. */
    static final int PARTITIONS = 8;

    /** What members tell the simulation, and where their requests go. */
    interface World {
        GroupCoordinator coordinator();

        <T> CompletableFuture<T> sent(CompletableFuture<T> request);

        void onAssigned(SimulatedMember member, int generation, Set<Integer> partitions);

        long nextOffset();

        void onCommitted(int partition, long offset);
    }

    final String name;
    final @Nullable String instanceId;
    private final World world;
    private final short joinVersion;
    private String protocols;
    String memberId = "";
    int generation = -1;
    private boolean stable;
    private Set<Integer> owned = Set.of();
    private @Nullable CompletableFuture<?> waiting;
    private Runnable then = () -> {};

    SimulatedMember(String name, @Nullable String instanceId, int joinVersion, World world) {
        this.name = name;
        this.instanceId = instanceId;
        this.joinVersion = (short) joinVersion;
        this.protocols = "range";
        this.world = world;
    }

    boolean isStable() {
        return stable;
    }

    Set<Integer> owned() {
        return owned;
    }

    /** Changes its metadata, which makes a rebalance. */
    void resubscribe() {
        protocols = protocols.equals("range") ? "range,rr" : "range";
        stable = false;
    }

    /** Takes the answer if there is one; sends what comes next if nothing is on the way. */
    void poll() {
        if (waiting != null) {
            if (!waiting.isDone()) {
                return;
            }
            waiting = null;
            then.run();
        }
        if (waiting == null) {
            if (stable) {
                heartbeat();
            } else {
                join();
            }
        }
    }

    private <T> void send(CompletableFuture<T> request, java.util.function.Consumer<T> onAnswer) {
        waiting = world.sent(request);
        then = () -> onAnswer.accept(request.join());
    }

    private void join() {
        JoinGroupRequestData request = new JoinGroupRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setProtocolType("consumer")
                .setSessionTimeoutMs(GroupFixture.SESSION_MS)
                .setRebalanceTimeoutMs(GroupFixture.REBALANCE_MS);
        for (String protocol : protocols.split(",", -1)) {
            request.protocols()
                    .add(new JoinGroupRequestData.JoinGroupRequestProtocol()
                            .setName(protocol)
                            .setMetadata(GroupFixture.subscription("t")));
        }
        send(world.coordinator().join(new ClientInfo(joinVersion, name, "/h"), request), this::onJoined);
    }

    private void onJoined(JoinGroupResponseData answer) {
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
        SyncGroupRequestData request = new SyncGroupRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation)
                .setProtocolType("consumer")
                .setProtocolName(joined.protocolName());
        if (joined.leader().equals(memberId) && !joined.skipAssignment()) {
            List<byte[]> parts = assign(joined.members().size());
            for (int i = 0; i < parts.size(); i++) {
                request.assignments()
                        .add(new SyncGroupRequestAssignment()
                                .setMemberId(joined.members().get(i).memberId())
                                .setAssignment(parts.get(i)));
            }
        }
        send(world.coordinator().sync(request), this::onSynced);
    }

    private static List<byte[]> assign(int members) {
        List<byte[]> parts = new ArrayList<>();
        for (int member = 0; member < members; member++) {
            int first = member;
            StringBuilder part = new StringBuilder();
            for (int partition = first; partition < PARTITIONS; partition += members) {
                part.append(partition);
            }
            parts.add(GroupFixture.bytes(part.toString()));
        }
        return parts;
    }

    private void onSynced(SyncGroupResponseData answer) {
        Errors error = Errors.forCode(answer.errorCode());
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
        world.onAssigned(this, generation, partitions);
    }

    private void heartbeat() {
        HeartbeatRequestData request = new HeartbeatRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation);
        CompletableFuture<HeartbeatResponseData> sent = world.coordinator().heartbeat(request);
        send(sent, answer -> onError(Errors.forCode(answer.errorCode())));
    }

    /** Commits the next offset of one of its partitions, if it has any and nothing is on the way. */
    void commit() {
        if (!stable || waiting != null || owned.isEmpty()) {
            return;
        }
        int partition = owned.iterator().next();
        long offset = world.nextOffset();
        OffsetCommitRequestData request = new OffsetCommitRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationIdOrMemberEpoch(generation)
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setName("t")
                        .setPartitions(List.of(new OffsetCommitRequestPartition()
                                .setPartitionIndex(partition)
                                .setCommittedOffset(offset)
                                .setCommittedMetadata("")))));
        send(world.coordinator().commit(new ClientInfo((short) 9, name, "/h"), request), answer -> {
            Errors error =
                    Errors.forCode(answer.topics().get(0).partitions().get(0).errorCode());
            if (error == Errors.NONE) {
                world.onCommitted(partition, offset);
            }
            onError(error);
        });
    }

    void leave() {
        if (!memberId.isEmpty()) {
            world.sent(world.coordinator()
                    .leave(new LeaveGroupRequestData()
                            .setGroupId(GROUP)
                            .setMembers(List.of(GroupFixture.identity(memberId, instanceId)))));
        }
    }

    private void onError(Errors error) {
        switch (error) {
            case NONE -> {}
            case REBALANCE_IN_PROGRESS -> stable = false;
            case UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, GROUP_ID_NOT_FOUND -> {
                stable = false;
                memberId = "";
                generation = -1;
                owned = Set.of();
            }
            case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS -> {} // again
            default -> throw new AssertionError("member " + name + " was answered " + error);
        }
    }
}
