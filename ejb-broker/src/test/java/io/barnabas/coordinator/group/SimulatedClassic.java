package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * A consumer of the classic protocol, in a group of either kind: one request at a time, each decided when the answer to the one before is
 * there. An eager one gives everything up before it joins again; a cooperative one (KIP-429) keeps what it has and says so, gives up what
 * it is not assigned any more, and joins again for others to get that.
 */
final class SimulatedClassic implements GroupRun.Participant {
    private final String name;
    private final @Nullable String instanceId;
    private final short joinVersion;
    private final GroupRun<?> world;
    private List<String> protocols;
    private String memberId = "";
    private int generation = -1;
    private boolean stable;
    private Set<Integer> owned = Set.of();
    private long heardMs;
    private @Nullable CompletableFuture<?> waiting;
    private Runnable then = () -> {};

    SimulatedClassic(String name, @Nullable String instanceId, int joinVersion, GroupRun<?> world) {
        this.name = name;
        this.instanceId = instanceId;
        this.joinVersion = (short) joinVersion;
        this.world = world;
        this.protocols = List.of(world.protocol());
    }

    /** Who a partition of a generation belongs to. */
    String identity() {
        return instanceId == null ? memberId : instanceId;
    }

    @Override
    public @Nullable String instanceId() {
        return instanceId;
    }

    @Override
    public Set<Integer> owned() {
        return world.nowMs() - heardMs < GroupFixture.SESSION_MS ? owned : Set.of();
    }

    @Override
    public boolean isSettled() {
        return stable;
    }

    /** Changes its metadata, which makes a rebalance. */
    @Override
    public void resubscribe() {
        protocols = protocols.size() == 1 ? List.of(world.protocol(), "rr") : List.of(world.protocol());
        rejoin();
    }

    private void rejoin() {
        stable = false;
        if (!world.cooperative()) {
            owned = Set.of();
        }
    }

    @Override
    public void reconcile() {} // it does so when it syncs

    @Override
    public void poll() {
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

    private <T> void send(CompletableFuture<T> request, Consumer<T> onAnswer) {
        waiting = world.sent(request);
        then = () -> onAnswer.accept(request.join());
    }

    private void join() {
        owned = owned();
        JoinGroupRequestData request = GroupFixture.joinRequest(memberId, instanceId, protocols.toArray(new String[0]));
        byte[] subscription = Utils.toArray(ConsumerProtocol.serializeSubscription(
                new Subscription(List.of("t"), null, partitions(owned), generation, Optional.empty())));
        request.protocols().forEach(protocol -> protocol.setMetadata(subscription));
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
        SyncGroupRequestData request = GroupFixture.syncRequest(memberId, generation)
                .setGroupInstanceId(instanceId)
                .setProtocolName(joined.protocolName());
        if (joined.leader().equals(memberId) && !joined.skipAssignment()) {
            assign(joined.members()).forEach((member, part) -> request.assignments()
                    .add(new SyncGroupRequestAssignment()
                            .setMemberId(member)
                            .setAssignment(Utils.toArray(ConsumerProtocol.serializeAssignment(new Assignment(part))))));
        }
        send(world.coordinator().sync(request), this::onSynced);
    }

    /** In turn; but what somebody else still has is given to nobody until it was given up. */
    private Map<String, List<TopicPartition>> assign(List<JoinGroupResponseMember> members) {
        Map<Integer, Set<String>> owners = new HashMap<>();
        Map<String, List<TopicPartition>> parts = new LinkedHashMap<>();
        for (JoinGroupResponseMember member : members) {
            parts.put(member.memberId(), new ArrayList<>());
            ConsumerProtocol.deserializeSubscription(ByteBuffer.wrap(member.metadata()))
                    .ownedPartitions()
                    .forEach(one -> owners.computeIfAbsent(one.partition(), p -> new HashSet<>())
                            .add(member.memberId()));
        }
        for (int partition = 0; partition < world.partitions(); partition++) {
            String target = members.get(partition % members.size()).memberId();
            if (Set.of(target).containsAll(owners.getOrDefault(partition, Set.of()))) {
                parts.get(target).add(new TopicPartition("t", partition));
            }
        }
        return parts;
    }

    private static List<TopicPartition> partitions(Set<Integer> of) {
        return of.stream().map(partition -> new TopicPartition("t", partition)).toList();
    }

    private void onSynced(SyncGroupResponseData answer) {
        Errors error = Errors.forCode(answer.errorCode());
        if (error != Errors.NONE) {
            onError(error);
            return;
        }
        Set<Integer> partitions = new TreeSet<>();
        if (answer.assignment().length > 0) {
            ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(answer.assignment()))
                    .partitions()
                    .forEach(partition -> partitions.add(partition.partition()));
        }
        stable = partitions.containsAll(owned); // else others wait for what it gives up
        owned = partitions;
        heardMs = world.nowMs();
        world.onAssigned(this, generation, partitions);
    }

    private void heartbeat() {
        HeartbeatRequestData request = new HeartbeatRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation);
        send(world.coordinator().heartbeat(request), answer -> onError(Errors.forCode(answer.errorCode())));
    }

    /** Commits an offset of one of its partitions, if it has any and nothing is on the way. */
    void commit() {
        if (!stable || waiting != null || owned.isEmpty()) {
            return;
        }
        int partition = owned.iterator().next();
        long offset = world.nextOffset();
        OffsetCommitRequestData request =
                GroupFixture.commitRequest(memberId, generation, offset).setGroupInstanceId(instanceId);
        request.topics().get(0).partitions().get(0).setPartitionIndex(partition);
        send(world.coordinator().commit(new ClientInfo((short) 9, name, "/h"), request), answer -> {
            Errors error =
                    Errors.forCode(answer.topics().get(0).partitions().get(0).errorCode());
            if (error == Errors.NONE) {
                world.onCommitted(partition, offset);
            }
            onError(error);
        });
    }

    private void onError(Errors error) {
        switch (error) {
            case NONE -> heardMs = world.nowMs();
            case REBALANCE_IN_PROGRESS -> rejoin();
            case UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, GROUP_ID_NOT_FOUND -> {
                rejoin();
                owned = Set.of();
                memberId = "";
                generation = -1;
            }
            case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS -> {} // again
            default -> throw new AssertionError("member " + name + " was answered " + error);
        }
    }

    @Override
    public String toString() {
        return name + " is " + memberId + " at " + generation + " owns " + owned + " stable " + stable;
    }

    @Override
    public void leave() {
        owned = Set.of();
        if (!memberId.isEmpty()) {
            world.sent(world.coordinator()
                    .leave(new LeaveGroupRequestData()
                            .setGroupId(GROUP)
                            .setMembers(List.of(GroupFixture.identity(memberId, instanceId)))));
        }
    }
}
