package io.barnabas.system.checker;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** A history by value and by place: who wrote what, and where it is in the end. */
final class Sightings {
    /** A send and the operation that it is of. */
    record Written(Operation operation, Send send) {}

    private final Map<Long, Written> writers = new LinkedHashMap<>();
    private final Map<Long, List<Read>> committed;
    private final Map<Long, List<Read>> uncommitted;
    private final Map<TopicPartition, TreeMap<Long, Long>> committedLogs;
    private final Map<TopicPartition, TreeMap<Long, Long>> uncommittedLogs;

    Sightings(History history) {
        for (Operation operation : history.operations()) {
            operation.sends().forEach(send -> writers.put(send.value(), new Written(operation, send)));
        }
        committed = byValue(history.committed().values());
        uncommitted = byValue(history.uncommitted().values());
        committedLogs = byOffset(history.committed());
        uncommittedLogs = byOffset(history.uncommitted());
    }

    private static Map<Long, List<Read>> byValue(Collection<List<Read>> logs) {
        Map<Long, List<Read>> places = new LinkedHashMap<>();
        logs.forEach(log -> log.forEach(read -> places.computeIfAbsent(read.value(), value -> new ArrayList<>(1))
                .add(read)));
        return places;
    }

    private static Map<TopicPartition, TreeMap<Long, Long>> byOffset(Map<TopicPartition, List<Read>> logs) {
        Map<TopicPartition, TreeMap<Long, Long>> sorted = new HashMap<>();
        logs.forEach((partition, reads) -> reads.forEach(
                read -> sorted.computeIfAbsent(partition, p -> new TreeMap<>()).put(read.offset(), read.value())));
        return sorted;
    }

    Collection<Written> writes() {
        return writers.values();
    }

    Optional<Written> writerOf(long value) {
        return Optional.ofNullable(writers.get(value));
    }

    /** Where a value is in the end, aborted or not. */
    List<Read> places(long value) {
        return uncommitted.getOrDefault(value, List.of());
    }

    boolean isCommitted(long value) {
        return committed.containsKey(value);
    }

    /** Offset and value of the first record at or after an offset, in the log of that isolation. */
    Optional<Map.Entry<Long, Long>> firstFrom(TopicPartition partition, long offset, Operation.Isolation isolation) {
        TreeMap<Long, Long> log = (isolation == Operation.Isolation.COMMITTED ? committedLogs : uncommittedLogs)
                .getOrDefault(partition, new TreeMap<>());
        return Optional.ofNullable(log.ceilingEntry(offset));
    }
}
