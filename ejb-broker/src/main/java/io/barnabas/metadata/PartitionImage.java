package io.barnabas.metadata;

import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * A partition as the metadata log has it. Immutable.
 *
 * @param leader broker id, or -1
 * @param leaderEpoch +1 at every change of leader
 * @param partitionEpoch +1 at every change
 * @param directories of each replica, by the replicas' order
 * @param elr eligible leader replicas (KIP-966)
 */
public record PartitionImage(
        int partition,
        int leader,
        int leaderEpoch,
        int partitionEpoch,
        List<Integer> replicas,
        List<Integer> isr,
        List<Integer> elr,
        List<Integer> lastKnownElr,
        List<Integer> addingReplicas,
        List<Integer> removingReplicas,
        List<Uuid> directories) {}
