package io.barnabas.system.checker;

import io.barnabas.system.checker.Anomaly.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** The positions of one process's consumer, followed through its operations in their order. */
final class Positions {
    /** The last read of a partition and the operation it was in. */
    private record Last(Read read, Operation operation) {}

    private final Sightings sightings;
    private final List<Anomaly> anomalies;
    private final Map<TopicPartition, Last> last = new HashMap<>();

    Positions(Sightings sightings, List<Anomaly> anomalies) {
        this.sightings = sightings;
        this.anomalies = anomalies;
    }

    /** Holds the next operation to what was read before. */
    void follow(Operation operation) {
        for (Poll poll : operation.polls()) {
            last.keySet().removeAll(poll.repositioned());
            for (Read read : poll.reads()) {
                Last before = last.put(read.partition(), new Last(read, operation));
                if (before != null) {
                    nonmonotonic(before, read, operation);
                    skipped(before, read, operation);
                }
            }
        }
    }

    /**
     * INTERNAL_NONMONOTONIC_POLL: within an operation a partition is read backwards, or a record again, though nothing moved the
     * position. EXTERNAL_NONMONOTONIC_POLL: the same from one operation of a process to a later one.
     */
    private void nonmonotonic(Last before, Read read, Operation operation) {
        if (read.offset() <= before.read.offset()) {
            boolean internal = before.operation == operation;
            Kind kind = internal ? Kind.INTERNAL_NONMONOTONIC_POLL : Kind.EXTERNAL_NONMONOTONIC_POLL;
            anomalies.add(new Anomaly(kind, before.read + ", then " + read, both(before, operation)));
        }
    }

    /** SKIPPED_RECORD: between two reads of a partition that follow one another the log has a record that was not handed over. */
    private void skipped(Last before, Read read, Operation operation) {
        sightings
                .firstFrom(read.partition(), before.read.offset() + 1, operation.isolation())
                .filter(between -> between.getKey() < read.offset())
                .ifPresent(between -> anomalies.add(new Anomaly(
                        Kind.SKIPPED_RECORD,
                        between.getValue() + " at " + between.getKey() + " between " + before.read + " and " + read,
                        both(before, operation))));
    }

    private static List<Operation> both(Last before, Operation operation) {
        return before.operation == operation ? List.of(operation) : List.of(before.operation, operation);
    }
}
