package io.barnabas.coordinator.group.consumer;

import io.barnabas.coordinator.group.consumer.AssignmentSpec.Subscriber;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Gives each member a range of every topic, so that members with the same topics have the same partition numbers of each (for joins).
 * Static members come first, by instance id, and so keep their ranges.
 */
final class RangeAssignor implements Assignor {
    @Override
    public String name() {
        return "range";
    }

    @Override
    public Map<String, Map<Uuid, Set<Integer>>> assign(AssignmentSpec spec) {
        Map<Uuid, Range> ranges = new HashMap<>();
        spec.members().values().forEach(member -> member.topics().forEach(topic -> ranges.computeIfAbsent(
                        topic, t -> new Range(spec.partitions().applyAsInt(t)))
                .members++));
        Map<String, Map<Uuid, Set<Integer>>> assignment = new HashMap<>();
        for (String memberId : inOrder(spec.members())) {
            Map<Uuid, Set<Integer>> mine = new HashMap<>();
            for (Uuid topic : subscriber(spec, memberId).topics()) {
                Set<Integer> partitions =
                        ranges.getOrDefault(topic, new Range(0)).next();
                if (!partitions.isEmpty()) {
                    mine.put(topic, partitions);
                }
            }
            assignment.put(memberId, mine);
        }
        return assignment;
    }

    private static Subscriber subscriber(AssignmentSpec spec, String memberId) {
        @Nullable Subscriber subscriber = spec.members().get(memberId);
        if (subscriber == null) {
            throw new IllegalStateException("no member " + memberId);
        }
        return subscriber;
    }

    private static List<String> inOrder(Map<String, Subscriber> members) {
        List<Map.Entry<String, Subscriber>> entries = new ArrayList<>(members.entrySet());
        entries.sort(Comparator.comparing(
                        (Map.Entry<String, Subscriber> member) ->
                                member.getValue().instanceId(),
                        Comparator.nullsLast(Comparator.naturalOrder()))
                .thenComparing(Map.Entry::getKey));
        return entries.stream().map(Map.Entry::getKey).toList();
    }

    /** A topic, cut into as many ranges as it has subscribers, the longer ones first. */
    private static final class Range {
        private final int partitions;
        private int members;
        private int given; // members that have theirs
        private int from;

        Range(int partitions) {
            this.partitions = partitions;
        }

        Set<Integer> next() {
            int length = members == 0 ? 0 : partitions / members + (given < partitions % members ? 1 : 0);
            Set<Integer> range = new HashSet<>();
            for (int partition = from; partition < from + length; partition++) {
                range.add(partition);
            }
            from += length;
            given++;
            return range;
        }
    }
}
