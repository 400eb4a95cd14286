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
 * @param recovering whether its leader was elected though it may lack records, and has not told yet that it goes on with what it has
 *     (KIP-704)
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
        List<Uuid> directories,
        boolean recovering) {}
