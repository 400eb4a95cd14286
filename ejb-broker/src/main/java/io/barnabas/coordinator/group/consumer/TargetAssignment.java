package io.barnabas.coordinator.group.consumer;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Computes what each member of a group is to have, for a group in which one member has just changed and is not in the log yet. Pure.
 *
 * @param group as it is in the log
 * @param updated the member that has changed; it takes the place of one with the same instance id
 * @param subscriptions with the change in them
 */
public record TargetAssignment(
        ConsumerGroup group, ConsumerMember updated, Subscriptions subscriptions, MetadataImage image) {

    /**
     * A target.
     *
     * @param records what of it is new, for the log; without the epoch's
     * @param ofUpdated the changed member's part
     */
    public record Result(List<CoordinatorRecord> records, Map<Uuid, Set<Integer>> ofUpdated) {}

    public Result compute(Assignor assignor) {
        Map<String, ConsumerMember> members = new HashMap<>();
        group.members().forEach(member -> members.put(member.id(), member));
        Map<String, Map<Uuid, Set<Integer>>> before = new HashMap<>(group.targets());
        @Nullable ConsumerMember replaced = group.staticMember(updated.profile().instanceId());
        if (replaced != null && !replaced.id().equals(updated.id())) {
            members.remove(replaced.id());
            before.remove(replaced.id());
            before.put(updated.id(), group.target(replaced.id()));
        }
        members.put(updated.id(), updated);
        Map<String, Map<Uuid, Set<Integer>>> after = assignor.assign(spec(members, before));
        List<CoordinatorRecord> records = new ArrayList<>();
        after.forEach((member, target) -> {
            if (!target.equals(before.get(member))) {
                records.add(ConsumerRecords.target(group.id(), member, target));
            }
        });
        return new Result(records, after.getOrDefault(updated.id(), Map.of()));
    }

    private AssignmentSpec spec(Map<String, ConsumerMember> members, Map<String, Map<Uuid, Set<Integer>>> before) {
        Map<Set<String>, Set<Uuid>> idsByNames = new HashMap<>(); // most members have the same names
        Map<String, AssignmentSpec.Subscriber> subscribers = new HashMap<>();
        members.forEach((id, member) -> subscribers.put(
                id,
                new AssignmentSpec.Subscriber(
                        member.profile().instanceId(),
                        idsByNames.computeIfAbsent(
                                subscriptions.topicsOf(member.profile()), names -> topicIds(names, image)),
                        before.getOrDefault(id, Map.of()))));
        return new AssignmentSpec(subscribers, subscriptions.isHomogeneous(), this::partitions);
    }

    private int partitions(Uuid topic) {
        @Nullable TopicImage found = image.topic(topic);
        return found == null ? 0 : found.partitions().size();
    }

    /** The ids of those topics that are there. */
    public static Set<Uuid> topicIds(Set<String> names, MetadataImage image) {
        Set<Uuid> ids = new HashSet<>();
        for (String name : names) {
            @Nullable TopicImage topic = image.topic(name);
            if (topic != null) {
                ids.add(topic.id());
            }
        }
        return ids;
    }
}
