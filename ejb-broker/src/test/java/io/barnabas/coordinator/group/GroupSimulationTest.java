package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.junit.jupiter.api.Test;

/**
 * Members come, go, crash and change their minds; commits are late or lost, appends refused, coordinators restarted between any two
 * steps; all by a seed. Whatever happens: a partition has one owner in a generation, committed offsets never go back, what was committed
 * survives a restart as it was, every request is answered, and when peace returns the group comes to rest with everybody in it.
 */
class GroupSimulationTest {
    private static final int SEEDS = 500;
    private static final int STEPS = 400;
    private static final int PARTITIONS = 8; // of the one topic that the group reads

    @Test
    void a_group_keeps_its_promises_whatever_happens() {
        GroupRun.forEachSeed(SEEDS, seed -> new Run(seed).play());
    }

    /** One run by one seed. */
    private static final class Run extends GroupRun<SimulatedClassic> {
        private final List<CompletableFuture<Void>> checks = new ArrayList<>();
        private final Map<String, String> owners = new HashMap<>(); // by generation and partition
        private final Map<Integer, Long> acknowledged = new HashMap<>();
        private final Map<Integer, Long> seen = new HashMap<>();
        private long offset;

        Run(long seed) {
            super(seed);
        }

        void play() {
            fixture.commit(0); // so that the group never expires, and with it the count of its generations
            for (int step = 0; step < STEPS; step++) {
                step();
                fixture.ticker.advance(random.nextInt(2_000));
            }
            calm();
            settle();
            checkRestart();
            everybodyLeaves();
        }

        private void step() {
            int dice = random.nextInt(100);
            if (dice < 8 && members.size() < 6) {
                members.add(newMember());
            } else if (dice < 11 && !members.isEmpty()) {
                members.remove(any()).leave();
            } else if (dice < 14 && !members.isEmpty()) {
                members.remove(any()); // a crash: nothing is heard of it any more
            } else if (dice < 16 && !members.isEmpty()) {
                returns();
            } else if (dice < 18 && !members.isEmpty()) {
                members.get(any()).resubscribe();
            } else if (dice < 24) {
                fault();
            } else if (dice < 28) {
                fetch();
            } else if (!members.isEmpty()) {
                SimulatedClassic member = members.get(any());
                if (random.nextBoolean()) {
                    member.commit();
                }
                members.forEach(SimulatedClassic::poll);
            }
        }

        private SimulatedClassic newMember() {
            String name = nextName();
            boolean isStatic = random.nextInt(3) == 0;
            int version = isStatic || random.nextInt(4) > 0 ? 9 : 3;
            return new SimulatedClassic(name, isStatic ? "i-" + name : null, version, this);
        }

        /** A member's process is started again: a static one under its instance id, while the former may still have requests out. */
        private void returns() {
            SimulatedClassic former = members.remove(any());
            members.add(new SimulatedClassic(nextName(), former.instanceId(), 9, this));
        }

        private void fetch() {
            Map<Integer, Long> before = new HashMap<>(acknowledged);
            OffsetFetchRequestGroup all =
                    new OffsetFetchRequestGroup().setGroupId(GROUP).setTopics(null);
            CompletableFuture<OffsetFetchResponseGroup> answer =
                    sent(fixture.groups.fetch(client(9), all, random.nextBoolean()));
            checks.add(answer.thenAccept(fetched -> {
                if (fetched.errorCode() == 0) {
                    compare(before, fetched);
                }
            }));
        }

        private void compare(Map<Integer, Long> before, OffsetFetchResponseGroup fetched) {
            Map<Integer, Long> offsets = new TreeMap<>();
            fetched.topics().forEach(topic -> topic.partitions()
                    .forEach(one -> offsets.put(one.partitionIndex(), one.committedOffset())));
            before.forEach((partition, least) -> assertThat(offsets)
                    .as("acknowledged offset of partition %s", partition)
                    .hasEntrySatisfying(partition, at -> assertThat(at).isGreaterThanOrEqualTo(least)));
            offsets.forEach((partition, at) -> assertThat(at)
                    .as("fetched offset of partition %s", partition)
                    .isGreaterThanOrEqualTo(seen.getOrDefault(partition, -1L)));
            seen.putAll(offsets);
        }

        /** Nothing fails any more: the group must come to rest, everybody in it, every partition owned. */
        private void settle() {
            if (members.isEmpty()) {
                members.add(newMember());
            }
            for (int i = 0; i < 600; i++) {
                members.forEach(SimulatedClassic::poll);
                fixture.ticker.advance(1_000);
            }
            assertThat(fixture.state()).isEqualTo("Stable");
            assertThat(fixture.describe().members()).hasSize(members.size());
            Set<Integer> owned = new HashSet<>();
            for (SimulatedClassic member : members) {
                assertThat(member.isSettled()).as(member.toString()).isTrue();
                assertThat(owned).doesNotContainAnyElementsOf(member.owned());
                owned.addAll(member.owned());
            }
            assertThat(owned).hasSize(PARTITIONS);
            fetch();
        }

        private void checkRestart() {
            DescribedGroup group = fixture.describe();
            OffsetFetchRequestGroup all =
                    new OffsetFetchRequestGroup().setGroupId(GROUP).setTopics(null);
            OffsetFetchResponseGroup offsets = now(fixture.groups.fetch(client(9), all, true));
            fixture.restart();
            assertThat(fixture.describe()).isEqualTo(group);
            assertThat(now(fixture.groups.fetch(client(9), all, true))).isEqualTo(offsets);
            fetch();
        }

        private void everybodyLeaves() {
            members.forEach(SimulatedClassic::leave);
            fixture.ticker.advance(GroupFixture.REBALANCE_MS + 600_000);
            assertThat(fixture.state()).isEqualTo("Empty");
            requireAnswered();
            checks.forEach(CompletableFuture::join);
        }

        @Override
        int partitions() {
            return PARTITIONS;
        }

        @Override
        Uuid topicId() {
            return GroupFixture.TOPIC_ID;
        }

        @Override
        void onAssigned(SimulatedClassic member, int generation, Set<Integer> partitions) {
            String owner = member.identity();
            for (int partition : partitions) {
                String former = owners.put(generation + "/" + partition, owner);
                assertThat(former)
                        .as("owner of partition %s in generation %s", partition, generation)
                        .isIn(null, owner);
            }
        }

        @Override
        long nextOffset() {
            return ++offset;
        }

        @Override
        void onCommitted(int partition, long at) {
            acknowledged.merge(partition, at, Math::max);
        }
    }
}
