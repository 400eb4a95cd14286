package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** A consumer of the classic protocol that gives everything up before it joins again, in a group of either kind. */
final class SimulatedClassic implements MixedGroupSimulationTest.Participant {
    private final String name;
    private final @Nullable String instanceId;
    private final MixedGroupSimulationTest.World world;
    private String memberId = "";
    private int generation = -1;
    private boolean stable;
    private Set<Integer> owned = Set.of();
    private long heardMs;
    private @Nullable CompletableFuture<?> waiting;
    private Runnable then = () -> {};

    SimulatedClassic(String name, @Nullable String instanceId, MixedGroupSimulationTest.World world) {
        this.name = name;
        this.instanceId = instanceId;
        this.world = world;
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

    @Override
    public void resubscribe() {
        rejoin();
    }

    private void rejoin() {
        stable = false;
        owned = Set.of();
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
        JoinGroupRequestData request = GroupFixture.joinRequest(memberId, instanceId, "range");
        send(world.coordinator().join(new ClientInfo((short) 9, name, "/h"), request), this::onJoined);
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
        SyncGroupRequestData request =
                GroupFixture.syncRequest(memberId, generation).setGroupInstanceId(instanceId);
        if (joined.leader().equals(memberId) && !joined.skipAssignment()) {
            int members = joined.members().size();
            for (int i = 0; i < members; i++) {
                List<TopicPartition> part = new ArrayList<>();
                for (int partition = i; partition < world.partitions(); partition += members) {
                    part.add(new TopicPartition("t", partition));
                }
                request.assignments()
                        .add(new SyncGroupRequestAssignment()
                                .setMemberId(joined.members().get(i).memberId())
                                .setAssignment(
                                        Utils.toArray(ConsumerProtocol.serializeAssignment(new Assignment(part)))));
            }
        }
        send(world.coordinator().sync(request), this::onSynced);
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
        owned = partitions;
        stable = true;
        heardMs = world.nowMs();
    }

    private void heartbeat() {
        HeartbeatRequestData request = new HeartbeatRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setGroupInstanceId(instanceId)
                .setGenerationId(generation);
        send(world.coordinator().heartbeat(request), answer -> onError(Errors.forCode(answer.errorCode())));
    }

    private void onError(Errors error) {
        switch (error) {
            case NONE -> heardMs = world.nowMs();
            case REBALANCE_IN_PROGRESS -> rejoin();
            case UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, FENCED_INSTANCE_ID, GROUP_ID_NOT_FOUND -> {
                rejoin();
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
