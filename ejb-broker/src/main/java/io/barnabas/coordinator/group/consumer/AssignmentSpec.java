package io.barnabas.coordinator.group.consumer;

import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * What an assignor is given.
 *
 * @param members by id
 * @param homogeneous whether all of them are subscribed to the same topics
 * @param partitions how many a topic has
 */
record AssignmentSpec(Map<String, Subscriber> members, boolean homogeneous, ToIntFunction<Uuid> partitions) {
    /**
     * A member.
     *
     * @param instanceId of a static member, or null
     * @param topics ids of the topics that it is subscribed to; all of them are there
     * @param present what it had to have until now; not to be changed
     */
    record Subscriber(@Nullable String instanceId, Set<Uuid> topics, Map<Uuid, Set<Integer>> present) {}
}
