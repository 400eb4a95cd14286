package io.barnabas.coordinator.group.consumer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions;
import org.jspecify.annotations.Nullable;

/**
 * What a member has: one ConsumerGroupCurrentMemberAssignment record. Immutable; nobody changes the maps.
 *
 * @param epoch the member's; {@link #LEFT} or {@link #LEFT_STATIC} of one that is gone
 * @param previousEpoch which is still taken from the member, should an answer be lost
 * @param assigned epoch at which each partition was assigned (KIP-1251), by topic and partition
 * @param pendingRevocation the same of partitions that the member has been told to give up
 */
public record CurrentAssignment(
        int epoch,
        int previousEpoch,
        MemberState state,
        Map<Uuid, Map<Integer, Integer>> assigned,
        Map<Uuid, Map<Integer, Integer>> pendingRevocation) {
    /** Member epoch of the protocol: the member leaves. */
    public static final int LEFT = -1;
    /** Member epoch of the protocol: the static member leaves, and will be back. */
    public static final int LEFT_STATIC = -2;
    /** Of a member that has nothing yet. */
    public static final CurrentAssignment NONE = new CurrentAssignment(0, -1, MemberState.STABLE, Map.of(), Map.of());

    static final CurrentAssignment GONE = new CurrentAssignment(LEFT, LEFT, MemberState.STABLE, Map.of(), Map.of());

    static CurrentAssignment of(ConsumerGroupCurrentMemberAssignmentValue value) {
        int epoch = Math.max(value.memberEpoch(), 0);
        return new CurrentAssignment(
                value.memberEpoch(),
                value.previousMemberEpoch(),
                MemberState.of(value.state()),
                epochs(value.assignedPartitions(), epoch),
                epochs(value.partitionsPendingRevocation(), epoch));
    }

    /** Records of Kafka before 4.3 have no epochs of their own for the partitions. */
    private static Map<Uuid, Map<Integer, Integer>> epochs(List<TopicPartitions> topics, int memberEpoch) {
        Map<Uuid, Map<Integer, Integer>> byTopic = new HashMap<>();
        for (TopicPartitions topic : topics) {
            List<Integer> partitions = topic.partitions();
            @Nullable List<Integer> epochs = topic.assignmentEpochs();
            boolean own = epochs != null && epochs.size() == partitions.size();
            Map<Integer, Integer> byPartition = new HashMap<>();
            for (int i = 0; i < partitions.size(); i++) {
                byPartition.put(partitions.get(i), own && epochs != null ? epochs.get(i) : memberEpoch);
            }
            byTopic.put(topic.topicId(), byPartition);
        }
        return byTopic;
    }

    /** The next step: another epoch, the present one becoming the previous. */
    CurrentAssignment next(
            int nextEpoch,
            MemberState nextState,
            Map<Uuid, Map<Integer, Integer>> nextAssigned,
            Map<Uuid, Map<Integer, Integer>> nextPendingRevocation) {
        return new CurrentAssignment(nextEpoch, epoch, nextState, nextAssigned, nextPendingRevocation);
    }

    /** The same of a static member that takes another's place: it begins at epoch 0. */
    CurrentAssignment rejoining() {
        return new CurrentAssignment(0, 0, state, assigned, pendingRevocation);
    }

    /** A static member leaves for a while: what it has is kept for it, counted from epoch 0 when it is back. */
    CurrentAssignment leavingStatic() {
        Map<Uuid, Map<Integer, Integer>> fromZero = new HashMap<>();
        assigned.forEach((topic, epochs) -> {
            Map<Integer, Integer> zeros = new HashMap<>();
            epochs.keySet().forEach(partition -> zeros.put(partition, 0));
            fromZero.put(topic, zeros);
        });
        return new CurrentAssignment(LEFT_STATIC, previousEpoch, state, fromZero, Map.of());
    }

    /** The epoch at which a partition, assigned or to be given up, was assigned; null for any other. */
    public @Nullable Integer assignmentEpoch(Uuid topic, int partition) {
        @Nullable
        Integer epochOfAssigned = assigned.getOrDefault(topic, Map.of()).get(partition);
        return epochOfAssigned != null
                ? epochOfAssigned
                : pendingRevocation.getOrDefault(topic, Map.of()).get(partition);
    }

    /** Whether nothing is left to be done for a target of that epoch. */
    public boolean isReconciledTo(int targetEpoch) {
        return state == MemberState.STABLE && epoch == targetEpoch;
    }
}
