package io.barnabas.coordinator.group.consumer;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * One step of a member towards its target assignment (KIP-848): first it gives up, in its old epoch, what is no longer its own; then it
 * enters the target's epoch and takes what is free; then it waits for the rest. So no partition has two owners. Pure.
 *
 * @param group whose owners count
 * @param targetEpoch of the target
 * @param target what the member is to have
 * @param topics ids of the topics that it is subscribed to now: of others it keeps nothing
 * @param owned what the member says it has; null if it did not say
 */
public record Reconciliation(
        ConsumerGroup group,
        int targetEpoch,
        Map<Uuid, Set<Integer>> target,
        Set<Uuid> topics,
        @Nullable List<TopicPartitions> owned) {

    /**
     * The member's next assignment, or the present one if it cannot go on.
     *
     * @param subscriptionChanged topics that it is no longer subscribed to go at once, whatever its state
     * @throws org.apache.kafka.common.errors.FencedMemberEpochException its state is of a later version
     */
    public CurrentAssignment next(CurrentAssignment current, boolean subscriptionChanged) {
        return switch (current.state()) {
            case STABLE -> {
                if (current.epoch() != targetEpoch) {
                    yield towardsTarget(current, current.epoch());
                }
                yield subscriptionChanged ? withoutUnsubscribed(current) : current;
            }
            case UNREVOKED_PARTITIONS -> {
                if (owns(current.pendingRevocation())) {
                    yield subscriptionChanged ? withoutUnsubscribed(current) : current;
                }
                yield towardsTarget(current, current.epoch());
            }
            case UNRELEASED_PARTITIONS -> towardsTarget(current, current.epoch());
            case UNKNOWN -> {
                if (owned == null || !owned.isEmpty()) {
                    throw Errors.FENCED_MEMBER_EPOCH.exception(
                            "The member is in an unknown state. It must abandon all its partitions and rejoin.");
                }
                yield towardsTarget(current, targetEpoch);
            }
        };
    }

    private boolean owns(Map<Uuid, Map<Integer, Integer>> partitions) {
        if (owned == null) {
            return true; // it did not say that it gave them up
        }
        for (TopicPartitions topic : owned) {
            Map<Integer, Integer> among = partitions.getOrDefault(topic.topicId(), Map.of());
            for (Integer partition : topic.partitions()) {
                if (among.containsKey(partition)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Takes away the topics that are not subscribed to any more, and nothing else. */
    private CurrentAssignment withoutUnsubscribed(CurrentAssignment current) {
        Map<Uuid, Map<Integer, Integer>> kept = new HashMap<>(current.assigned());
        Map<Uuid, Map<Integer, Integer>> revoked = new HashMap<>(current.pendingRevocation());
        current.assigned().forEach((topic, epochs) -> {
            if (!topics.contains(topic)) {
                kept.remove(topic);
                revoked.merge(topic, epochs, Reconciliation::union);
            }
        });
        if (kept.size() == current.assigned().size()) {
            return current;
        }
        return owns(revoked)
                ? current.next(current.epoch(), MemberState.UNREVOKED_PARTITIONS, kept, revoked)
                : current.next(current.epoch(), current.state(), kept, current.pendingRevocation());
    }

    private static Map<Integer, Integer> union(Map<Integer, Integer> one, Map<Integer, Integer> other) {
        Map<Integer, Integer> both = new HashMap<>(one);
        both.putAll(other);
        return both;
    }

    private CurrentAssignment towardsTarget(CurrentAssignment current, int epoch) {
        Step step = new Step(current);
        Set<Uuid> all = new HashSet<>(target.keySet());
        all.addAll(current.assigned().keySet());
        all.forEach(step::add);
        if (!step.toRevoke.isEmpty() && owns(step.toRevoke)) {
            return current.next(epoch, MemberState.UNREVOKED_PARTITIONS, step.kept, step.toRevoke);
        }
        step.toAssign.forEach((topic, partitions) -> partitions.forEach(partition ->
                step.kept.computeIfAbsent(topic, t -> new HashMap<>()).put(partition, targetEpoch)));
        MemberState state = step.waits ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE;
        return current.next(targetEpoch, state, step.kept, Map.of());
    }

    /** The partitions of a member, sorted by what becomes of them. */
    private final class Step {
        private final CurrentAssignment current;
        private final Map<Uuid, Map<Integer, Integer>> kept = new HashMap<>();
        private final Map<Uuid, Map<Integer, Integer>> toRevoke = new HashMap<>();
        private final Map<Uuid, Set<Integer>> toAssign = new HashMap<>();
        private boolean waits;

        private Step(CurrentAssignment current) {
            this.current = current;
        }

        private void add(Uuid topic) {
            Set<Integer> wanted = topics.contains(topic) ? target.getOrDefault(topic, Set.of()) : Set.of();
            Map<Integer, Integer> has = current.assigned().getOrDefault(topic, Map.of());
            has.forEach((partition, epoch) -> (wanted.contains(partition) ? kept : toRevoke)
                    .computeIfAbsent(topic, t -> new HashMap<>())
                    .put(partition, epoch));
            for (Integer partition : wanted) {
                if (has.containsKey(partition)) {
                    continue;
                }
                if (isFree(topic, partition)) {
                    toAssign.computeIfAbsent(topic, t -> new HashSet<>()).add(partition);
                } else {
                    waits = true;
                }
            }
        }

        /** What the member itself is giving up it may take back. */
        private boolean isFree(Uuid topic, Integer partition) {
            return group.partitionEpoch(topic, partition) == PartitionEpochs.FREE
                    || current.pendingRevocation().getOrDefault(topic, Map.of()).containsKey(partition);
        }
    }
}
