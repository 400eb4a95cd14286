package io.barnabas.coordinator.group.consumer;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;

/** Spreads the partitions of a group's topics over its members. Pure, and the same for the same input. */
public sealed interface Assignor permits RangeAssignor, UniformAssignor {
    /** Those that there are. */
    List<Assignor> ALL = List.of(new UniformAssignor(), new RangeAssignor());

    /** As clients and group.consumer.assignors name it. */
    String name();

    /** Partitions by topic for each member; every member is in it. */
    Map<String, Map<Uuid, Set<Integer>>> assign(AssignmentSpec spec);

    /** The one of that name. */
    static Optional<Assignor> of(String name) {
        return ALL.stream().filter(assignor -> assignor.name().equals(name)).findFirst();
    }
}
