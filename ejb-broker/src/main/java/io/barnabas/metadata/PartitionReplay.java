package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.jspecify.annotations.Nullable;

/** What partition records mean: used by {@link MetadataDelta} for the image, and for the entities, so that both say the same. */
final class PartitionReplay {
    /** The leader of a change record that leaves leader and leader epoch as they are. */
    private static final int NO_LEADER_CHANGE = -2;
    /** The leader recovery state of a change record that leaves it as it is. */
    private static final byte NO_RECOVERY_CHANGE = -1;
    /** The leader recovery state after an unclean election (KIP-704). */
    static final byte RECOVERING = 1;
    /** The other. */
    static final byte RECOVERED = 0;

    private PartitionReplay() {}

    /** A whole partition, as its record has it. */
    static PartitionImage image(PartitionRecord record) {
        return new PartitionImage(
                record.partitionId(),
                record.leader(),
                record.leaderEpoch(),
                record.partitionEpoch(),
                List.copyOf(record.replicas()),
                List.copyOf(record.isr()),
                copyOr(record.eligibleLeaderReplicas(), List.of()),
                copyOr(record.lastKnownElr(), List.of()),
                List.copyOf(record.addingReplicas()),
                List.copyOf(record.removingReplicas()),
                directories(record.replicas(), record.directories(), List.of(), List.of()),
                record.leaderRecoveryState() == RECOVERING);
    }

    /**
     * A partition after a change: a null list of the record means unchanged; naming a leader, even the same one, begins a new leader
     * epoch; every change begins a new partition epoch.
     */
    static PartitionImage changed(PartitionImage before, PartitionChangeRecord record) {
        boolean newLeader = record.leader() != NO_LEADER_CHANGE;
        List<Integer> replicas = copyOr(record.replicas(), before.replicas());
        return new PartitionImage(
                before.partition(),
                newLeader ? record.leader() : before.leader(),
                newLeader ? before.leaderEpoch() + 1 : before.leaderEpoch(),
                before.partitionEpoch() + 1,
                replicas,
                copyOr(record.isr(), before.isr()),
                copyOr(record.eligibleLeaderReplicas(), before.elr()),
                copyOr(record.lastKnownElr(), before.lastKnownElr()),
                copyOr(record.addingReplicas(), before.addingReplicas()),
                copyOr(record.removingReplicas(), before.removingReplicas()),
                directories(replicas, record.directories(), before.replicas(), before.directories()),
                record.leaderRecoveryState() == NO_RECOVERY_CHANGE
                        ? before.recovering()
                        : record.leaderRecoveryState() == RECOVERING);
    }

    private static <T> List<T> copyOr(@Nullable List<T> changed, List<T> before) {
        return changed == null ? before : List.copyOf(changed);
    }

    /** Directories by the order of {@code replicas}: the stated ones, else each replica's former one, else unassigned. */
    private static List<Uuid> directories(
            List<Integer> replicas,
            @Nullable List<Uuid> stated,
            List<Integer> formerReplicas,
            List<Uuid> formerDirectories) {
        if (stated != null && stated.size() == replicas.size()) {
            return List.copyOf(stated);
        }
        List<Uuid> directories = new ArrayList<>(replicas.size());
        for (Integer replica : replicas) {
            int former = formerReplicas.indexOf(replica);
            directories.add(former < 0 ? ReplicaPlacement.UNASSIGNED_DIRECTORY : formerDirectories.get(former));
        }
        return List.copyOf(directories);
    }
}
