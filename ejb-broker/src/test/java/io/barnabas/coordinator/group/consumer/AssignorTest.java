package io.barnabas.coordinator.group.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.coordinator.group.consumer.AssignmentSpec.Subscriber;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** What each assignor promises, over groups made by a seed and a few by hand. */
class AssignorTest {
    private static final Assignor UNIFORM = new UniformAssignor();
    private static final Assignor RANGE = new RangeAssignor();

    private static Uuid topic(int number) {
        return new Uuid(1, number);
    }

    private static int load(Map<Uuid, Set<Integer>> assignment) {
        return assignment.values().stream().mapToInt(Set::size).sum();
    }

    /** A group of members that come and go, its assignment handed from round to round. */
    private static final class Group {
        private final Random random;
        private final boolean homogeneous;
        private final Map<Uuid, Integer> topics = new HashMap<>();
        private final Map<String, Set<Uuid>> members = new TreeMap<>();
        private Map<String, Map<Uuid, Set<Integer>>> assignment = new HashMap<>();
        private int names;

        Group(long seed, boolean homogeneous) {
            this.random = new Random(seed);
            this.homogeneous = homogeneous;
            for (int i = 0; i < 1 + random.nextInt(5); i++) {
                topics.put(topic(i), 1 + random.nextInt(12));
            }
        }

        void change() {
            if (members.size() < 2 || random.nextInt(3) > 0) {
                members.put("m" + names++, subscription());
            } else {
                members.remove(members.keySet().stream()
                        .skip(random.nextInt(members.size()))
                        .findFirst()
                        .orElseThrow());
            }
            assignment.keySet().retainAll(members.keySet());
        }

        private Set<Uuid> subscription() {
            Set<Uuid> some = new HashSet<>(topics.keySet());
            if (!homogeneous) {
                some.removeIf(topic -> random.nextInt(3) == 0);
            }
            return some;
        }

        AssignmentSpec spec() {
            Map<String, Subscriber> subscribers = new HashMap<>();
            members.forEach((id, subscribed) ->
                    subscribers.put(id, new Subscriber(null, subscribed, assignment.getOrDefault(id, Map.of()))));
            return new AssignmentSpec(subscribers, homogeneous, topic -> topics.getOrDefault(topic, 0));
        }

        Map<String, Map<Uuid, Set<Integer>>> assign(Assignor assignor) {
            assignment = new HashMap<>(assignor.assign(spec()));
            checkComplete();
            return assignment;
        }

        private void checkComplete() {
            assertThat(assignment.keySet()).isEqualTo(members.keySet());
            Map<Uuid, Set<Integer>> all = new HashMap<>();
            assignment.forEach((member, partitions) -> partitions.forEach((topic, of) -> {
                assertThat(members.get(member)).contains(topic);
                of.forEach(partition -> assertThat(
                                all.computeIfAbsent(topic, t -> new HashSet<>()).add(partition))
                        .as("one owner")
                        .isTrue());
            }));
            topics.forEach((topic, partitions) -> {
                boolean anybody = members.values().stream().anyMatch(subscribed -> subscribed.contains(topic));
                assertThat(all.getOrDefault(topic, Set.of())).hasSize(anybody ? partitions : 0);
            });
        }
    }

    @Test
    void uniform_gives_all_members_of_a_homogeneous_group_the_same_and_moves_no_more_than_it_must() {
        for (long seed = 0; seed < 300; seed++) {
            Group group = new Group(seed, true);
            int partitions = group.topics.values().stream().mapToInt(n -> n).sum();
            for (int round = 0; round < 20; round++) {
                group.change();
                Map<String, Map<Uuid, Set<Integer>>> before = new HashMap<>(group.assignment);
                Map<String, Map<Uuid, Set<Integer>>> after = group.assign(UNIFORM);

                int least = partitions / after.size();
                after.values().forEach(of -> assertThat(load(of)).isBetween(least, least + 1));
                before.forEach((member, had) -> {
                    int kept = had.entrySet().stream()
                            .mapToInt(topic -> (int) topic.getValue().stream()
                                    .filter(partition -> after.get(member)
                                            .getOrDefault(topic.getKey(), Set.of())
                                            .contains(partition))
                                    .count())
                            .sum();
                    assertThat(kept).as("kept by %s", member).isGreaterThanOrEqualTo(Math.min(load(had), least));
                });
            }
        }
    }

    @Test
    void uniform_takes_the_last_partitions_from_who_has_too_many() {
        Map<String, Subscriber> members = Map.of(
                "a", new Subscriber(null, Set.of(topic(1)), Map.of(topic(1), Set.of(3, 1, 0, 2))),
                "b", new Subscriber(null, Set.of(topic(1)), Map.of()));

        var assignment = UNIFORM.assign(new AssignmentSpec(members, true, topic -> 4));

        assertThat(assignment.get("a")).isEqualTo(Map.of(topic(1), Set.of(0, 1)));
        assertThat(assignment.get("b")).isEqualTo(Map.of(topic(1), Set.of(2, 3)));
    }

    @Test
    void uniform_balances_members_with_different_topics_and_comes_to_rest() {
        for (long seed = 0; seed < 300; seed++) {
            Group group = new Group(seed, false);
            for (int round = 0; round < 10; round++) {
                group.change();
                Map<String, Map<Uuid, Set<Integer>>> after = group.assign(UNIFORM);

                group.topics.keySet().forEach(topic -> checkBalanced(group, topic, after));
                assertThat(group.assign(UNIFORM)).as("nothing has changed").isEqualTo(after);
            }
        }
    }

    /** Nobody who has some of a topic has two more in all than another who might have it. */
    private static void checkBalanced(Group group, Uuid topic, Map<String, Map<Uuid, Set<Integer>>> assignment) {
        int least = Integer.MAX_VALUE;
        int most = 0;
        for (Map.Entry<String, Set<Uuid>> member : group.members.entrySet()) {
            Map<Uuid, Set<Integer>> has = assignment.getOrDefault(member.getKey(), Map.of());
            if (member.getValue().contains(topic)) {
                least = Math.min(least, load(has));
                most = has.containsKey(topic) ? Math.max(most, load(has)) : most;
            }
        }
        assertThat(most - Math.min(least, most)).isLessThanOrEqualTo(1);
    }

    @Test
    void range_gives_the_same_partitions_of_every_topic_and_static_members_theirs() {
        Map<String, Subscriber> members = new HashMap<>();
        Set<Uuid> both = Set.of(topic(1), topic(2));
        members.put("z", new Subscriber("i1", both, Map.of()));
        members.put("a", new Subscriber(null, both, Map.of()));

        Map<String, Map<Uuid, Set<Integer>>> assignment = RANGE.assign(new AssignmentSpec(members, true, topic -> 3));

        assertThat(assignment.get("z")).isEqualTo(Map.of(topic(1), Set.of(0, 1), topic(2), Set.of(0, 1)));
        assertThat(assignment.get("a")).isEqualTo(Map.of(topic(1), Set.of(2), topic(2), Set.of(2)));
    }

    @Test
    void range_leaves_nothing_over_whatever_the_group() {
        for (long seed = 0; seed < 100; seed++) {
            for (boolean homogeneous : List.of(true, false)) {
                Group group = new Group(seed, homogeneous);
                for (int round = 0; round < 10; round++) {
                    group.change();
                    group.assign(RANGE);
                }
            }
        }
    }

    @Test
    void nobody_and_nothing_are_assigned_nothing() {
        assertThat(UNIFORM.assign(new AssignmentSpec(Map.of(), true, topic -> 1)))
                .isEmpty();
        assertThat(RANGE.assign(new AssignmentSpec(Map.of(), true, topic -> 1))).isEmpty();
        Map<String, Subscriber> idle = Map.of("a", new Subscriber(null, Set.of(), Map.of()));
        assertThat(UNIFORM.assign(new AssignmentSpec(idle, true, topic -> 1)).get("a"))
                .isEmpty();
        assertThat(RANGE.assign(new AssignmentSpec(idle, true, topic -> 1)).get("a"))
                .isEmpty();
    }
}
