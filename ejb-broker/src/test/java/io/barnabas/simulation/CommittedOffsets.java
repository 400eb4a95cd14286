package io.barnabas.simulation;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;

/** What groups were told: offsets that were committed, partitions that were assigned. */
final class CommittedOffsets {
    static final int PARTITIONS = 8;

    private final Map<String, Long> acknowledged = new HashMap<>(); // by group/partition
    private final Map<String, String> owners = new HashMap<>(); // by group/generation/partition
    private final Set<String> kept = new HashSet<>(); // groups with offsets, whose generations are not counted anew
    private long last;

    long next() {
        return ++last;
    }

    boolean isKept(String group) {
        return kept.contains(group);
    }

    void onCommitted(String group, int partition, long offset) {
        kept.add(group);
        acknowledged.merge(group + "/" + partition, offset, Math::max);
    }

    /** A partition has one owner in a generation. */
    void onAssigned(String group, int generation, String owner, Set<Integer> partitions) {
        if (!kept.contains(group)) {
            return;
        }
        for (int partition : partitions) {
            String before = owners.putIfAbsent(group + "/" + generation + "/" + partition, owner);
            if (before != null && !before.equals(owner)) {
                throw new AssertionError("Partition " + partition + " of " + group + " belongs to " + before
                        + " and to " + owner + " in generation " + generation);
            }
        }
    }

    /** What must at least be answered to a fetch that is sent now. */
    Map<String, Long> atLeast() {
        return new HashMap<>(acknowledged);
    }

    /** Committed offsets do not go back. */
    void compare(String group, Map<String, Long> atLeast, OffsetFetchResponseGroup answer) {
        Map<String, Long> found = new TreeMap<>();
        answer.topics().forEach(topic -> topic.partitions()
                .forEach(one -> found.put(group + "/" + one.partitionIndex(), one.committedOffset())));
        atLeast.forEach((key, least) -> {
            if (key.startsWith(group + "/") && found.getOrDefault(key, -1L) < least) {
                throw new AssertionError(
                        "The committed offset of " + key + " is " + found.get(key) + ", acknowledged was " + least);
            }
        });
        found.forEach((key, offset) -> acknowledged.merge(key, offset, Math::max));
    }

    /** Power was lost, and acknowledgements did not promise to survive that. */
    void lost() {
        acknowledged.clear();
        owners.clear();
        kept.clear();
    }
}
