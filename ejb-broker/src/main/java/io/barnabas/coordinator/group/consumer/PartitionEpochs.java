package io.barnabas.coordinator.group.consumer;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Who owns what in a group: each owned partition has its owner's member epoch. A partition that is not in here is free. Confined to the
 * group's thread.
 */
final class PartitionEpochs {
    static final int FREE = -1;

    private final Map<Uuid, Map<Integer, Integer>> epochs = new HashMap<>();

    int of(Uuid topic, int partition) {
        return epochs.getOrDefault(topic, Map.of()).getOrDefault(partition, FREE);
    }

    void release(CurrentAssignment owner) {
        release(owner.assigned(), owner.epoch());
        release(owner.pendingRevocation(), owner.epoch());
    }

    private void release(Map<Uuid, Map<Integer, Integer>> partitions, int epoch) {
        partitions.forEach((topic, released) -> {
            @Nullable Map<Integer, Integer> owned = epochs.get(topic);
            if (owned != null) {
                released.keySet().forEach(partition -> owned.remove(partition, epoch));
                if (owned.isEmpty()) {
                    epochs.remove(topic);
                }
            }
        });
    }

    /**
     * A member takes its partitions.
     *
     * @param strict whether one that is still owned is a broken invariant; in a compacted log that is read it need not be
     * @throws IllegalStateException another owns one of them at this or a later epoch
     */
    void take(CurrentAssignment owner, boolean strict) {
        take(owner.assigned(), owner.epoch(), strict);
        take(owner.pendingRevocation(), owner.epoch(), strict);
    }

    private void take(Map<Uuid, Map<Integer, Integer>> partitions, int epoch, boolean strict) {
        partitions.forEach((topic, taken) -> {
            Map<Integer, Integer> owned = epochs.computeIfAbsent(topic, t -> new HashMap<>());
            for (Integer partition : taken.keySet()) {
                @Nullable Integer present = owned.get(partition);
                if (present == null || present < epoch) {
                    owned.put(partition, epoch);
                } else if (strict) {
                    throw new IllegalStateException("partition " + topic + "-" + partition + " is owned at epoch "
                            + present + " and taken at " + epoch);
                }
            }
        });
    }
}
