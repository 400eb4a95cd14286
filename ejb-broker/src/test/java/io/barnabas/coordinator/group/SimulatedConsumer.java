package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A consumer of the new protocol as the simulation has it: it takes an assignment over some time after it was told, gives partitions up
 * before it says so, and is told nothing while a request of its is on the way.
 */
final class SimulatedConsumer implements GroupRun.Participant {
    private final String name;
    private final @Nullable String instanceId;
    private final GroupRun<?> world;
    private String memberId;
    private int incarnation;
    private int epoch;
    private Set<Integer> owned = Set.of();
    private Set<Integer> assigned = Set.of();
    /** The request on the way says what it owns: until that is answered it must stay true. */
    private boolean reporting;

    private boolean told;
    private boolean sayOwned;
    private boolean sayAll = true;
    private boolean byPattern;
    private boolean resubscribed;
    private long heardMs;
    private @Nullable CompletableFuture<ConsumerGroupHeartbeatResponseData> waiting;

    SimulatedConsumer(String name, @Nullable String instanceId, GroupRun<?> world) {
        this.name = name;
        this.instanceId = instanceId;
        this.world = world;
        this.memberId = name;
    }

    @Override
    public @Nullable String instanceId() {
        return instanceId;
    }

    @Override
    public Set<Integer> owned() {
        return world.nowMs() - heardMs < GroupRun.NEW_SESSION_MS ? owned : Set.of();
    }

    @Override
    public boolean isSettled() {
        return epoch > 0 && owned.equals(assigned) && waiting == null;
    }

    @Override
    public void resubscribe() {
        byPattern = !byPattern;
        resubscribed = true;
    }

    /** What it was told it takes over now: first it gives up, then it takes. */
    @Override
    public void reconcile() {
        if (told && !reporting) {
            owned = assigned;
            sayOwned = true; // even if nothing has changed: it may have been told otherwise in between
            told = false;
        }
    }

    @Override
    public void poll() {
        if (waiting != null) {
            if (!waiting.isDone()) {
                return;
            }
            CompletableFuture<ConsumerGroupHeartbeatResponseData> answer = waiting;
            waiting = null;
            reporting = false;
            onAnswer(answer.join());
        }
        waiting = world.sent(world.coordinator().consumerHeartbeat(new ClientInfo((short) 1, name, "/h"), heartbeat()));
    }

    private ConsumerGroupHeartbeatRequestData heartbeat() {
        boolean all = epoch == 0 || sayAll;
        ConsumerGroupHeartbeatRequestData request = new ConsumerGroupHeartbeatRequestData()
                .setGroupId(GROUP)
                .setMemberId(memberId)
                .setMemberEpoch(epoch)
                .setInstanceId(instanceId)
                .setTopicPartitions(null)
                .setSubscribedTopicNames(null)
                .setSubscribedTopicRegex(null);
        if (all) {
            request.setRebalanceTimeoutMs(GroupFixture.REBALANCE_MS);
        }
        if (all || resubscribed) {
            request.setSubscribedTopicNames(byPattern ? List.of() : List.of("t"));
            request.setSubscribedTopicRegex(byPattern ? "t.*" : "");
        }
        reporting = all || sayOwned;
        if (reporting) {
            request.setTopicPartitions(
                    owned.isEmpty()
                            ? List.of()
                            : List.of(new TopicPartitions()
                                    .setTopicId(world.topicId())
                                    .setPartitions(List.copyOf(owned))));
        }
        sayAll = false;
        sayOwned = false;
        resubscribed = false;
        return request;
    }

    private void onAnswer(ConsumerGroupHeartbeatResponseData answer) {
        switch (Errors.forCode(answer.errorCode())) {
            case NONE -> {
                if (answer.memberEpoch() < epoch) {
                    throw new AssertionError(name + " goes back from " + epoch + " to " + answer.memberEpoch());
                }
                epoch = answer.memberEpoch();
                heardMs = world.nowMs();
                if (answer.assignment() != null) {
                    Set<Integer> all = new TreeSet<>();
                    answer.assignment().topicPartitions().forEach(topic -> all.addAll(topic.partitions()));
                    assigned = all;
                    told = true;
                }
            }
            case UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, GROUP_ID_NOT_FOUND -> {
                epoch = 0;
                owned = Set.of();
                assigned = Set.of();
            }
            case FENCED_INSTANCE_ID, UNRELEASED_INSTANCE_ID -> begin();
            case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS -> sayAll = true;
            default ->
                throw new AssertionError(
                        name + " was answered " + Errors.forCode(answer.errorCode()) + " " + answer.errorMessage());
        }
    }

    /** As a process that has just been started. */
    private void begin() {
        memberId = name + "-" + ++incarnation;
        epoch = 0;
        owned = Set.of();
        assigned = Set.of();
        sayAll = true;
    }

    @Override
    public String toString() {
        return memberId + " at " + epoch + " owns " + owned + " of " + assigned;
    }

    @Override
    public void leave() {
        int leaving = instanceId != null && world.coin() ? -2 : -1;
        world.sent(world.coordinator()
                .consumerHeartbeat(
                        new ClientInfo((short) 1, name, "/h"),
                        new ConsumerGroupHeartbeatRequestData()
                                .setGroupId(GROUP)
                                .setMemberId(memberId)
                                .setInstanceId(instanceId)
                                .setMemberEpoch(leaving)));
        owned = Set.of();
    }
}
