package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.LOG;
import static io.barnabas.coordinator.group.GroupFixture.client;
import static io.barnabas.coordinator.group.GroupFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Members come, go, crash and change their minds; commits are late or lost, appends refused, coordinators restarted between any two
 * steps; all by a seed. Whatever happens: a partition has one owner in a generation, committed offsets never go back, what was committed
 * survives a restart as it was, every request is answered, and when peace returns the group comes to rest with everybody in it.
 */
class GroupSimulationTest {
    private static final int SEEDS = Integer.getInteger("barnabas.simulation.seeds", 200);
    private static final long FIRST_SEED = Long.getLong("barnabas.simulation.firstSeed", 1L);
    private static final int STEPS = 400;
    private static final Logger LOGS = Logger.getLogger("io.barnabas.coordinator");

    @BeforeAll
    static void quiet() {
        LOGS.setLevel(Level.OFF); // refused appends are the point here
    }

    @AfterAll
    static void loud() {
        LOGS.setLevel(Level.WARNING);
    }

    @Test
    void a_group_keeps_its_promises_whatever_happens() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            try {
                new Run(seed).play();
            } catch (Throwable e) {
                throw new AssertionError(
                        "seed " + seed
                                + " fails: repeat with -Dbarnabas.simulation.seeds=1 -Dbarnabas.simulation.firstSeed="
                                + seed,
                        e);
            }
        }
    }

    /** One run by one seed. */
    private static final class Run implements SimulatedMember.World {
        private final Random random;
        private final GroupFixture fixture = new GroupFixture();
        private final List<SimulatedMember> members = new ArrayList<>();
        private final List<CompletableFuture<?>> requests = new ArrayList<>();
        private final List<CompletableFuture<Void>> checks = new ArrayList<>();
        private final Map<String, String> owners = new HashMap<>(); // by generation and partition
        private final Map<Integer, Long> acknowledged = new HashMap<>();
        private final Map<Integer, Long> seen = new HashMap<>();
        private long offset;
        private int names;

        Run(long seed) {
            random = new Random(seed);
        }

        void play() {
            LOGS.setLevel(Level.OFF);
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
                SimulatedMember member = members.get(any());
                if (random.nextBoolean()) {
                    member.commit();
                }
                members.forEach(SimulatedMember::poll);
            }
        }

        private void fault() {
            switch (random.nextInt(6)) {
                case 0 -> fixture.log.refuse(new NotEnoughReplicasException("no"), 1 + random.nextInt(2));
                case 1 -> fixture.log.refuse(new IllegalStateException("unknown outcome"), 1);
                case 2 -> fixture.log.holdCommits(true);
                case 3 -> calm();
                case 4 -> {
                    fixture.log.loseUncommitted(LOG);
                    fixture.log.holdCommits(false);
                }
                default -> crash(random.nextBoolean());
            }
        }

        /** The coordinator dies; what was not committed may be gone, or not. */
        private void crash(boolean losing) {
            fixture.groups.onResigned(0);
            if (losing) {
                fixture.log.loseUncommitted(LOG);
            }
            fixture.restart();
        }

        private void calm() {
            fixture.log.refuse(new IllegalStateException("never"), 0);
            fixture.log.holdCommits(false);
            fixture.log.commitAll(LOG);
        }

        private int any() {
            return random.nextInt(members.size());
        }

        private SimulatedMember newMember() {
            String name = "m" + names++;
            boolean isStatic = random.nextInt(3) == 0;
            int version = isStatic || random.nextInt(4) > 0 ? 9 : 3;
            return new SimulatedMember(name, isStatic ? "i-" + name : null, version, this);
        }

        /** A member's process is started again: a static one under its instance id, while the former may still have requests out. */
        private void returns() {
            SimulatedMember former = members.remove(any());
            members.add(new SimulatedMember("m" + names++, former.instanceId, 9, this));
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
                members.forEach(SimulatedMember::poll);
                fixture.ticker.advance(1_000);
            }
            assertThat(fixture.state()).isEqualTo("Stable");
            assertThat(fixture.describe().members()).hasSize(members.size());
            Set<Integer> owned = new HashSet<>();
            for (SimulatedMember member : members) {
                assertThat(member.isStable()).as(member.name).isTrue();
                assertThat(owned).doesNotContainAnyElementsOf(member.owned());
                owned.addAll(member.owned());
            }
            assertThat(owned).hasSize(SimulatedMember.PARTITIONS);
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
            members.forEach(SimulatedMember::leave);
            fixture.ticker.advance(GroupFixture.REBALANCE_MS + 600_000);
            assertThat(fixture.state()).isEqualTo("Empty");
            for (CompletableFuture<?> request : requests) {
                assertThat(request).isDone();
                request.join(); // and none of them by an exception
            }
            checks.forEach(CompletableFuture::join);
        }

        @Override
        public GroupCoordinator coordinator() {
            return fixture.groups;
        }

        @Override
        public <T> CompletableFuture<T> sent(CompletableFuture<T> request) {
            requests.add(request);
            return request;
        }

        @Override
        public void onAssigned(SimulatedMember member, int generation, Set<Integer> partitions) {
            String owner = member.instanceId == null ? member.memberId : member.instanceId;
            for (int partition : partitions) {
                String former = owners.put(generation + "/" + partition, owner);
                assertThat(former)
                        .as("owner of partition %s in generation %s", partition, generation)
                        .isIn(null, owner);
            }
        }

        @Override
        public long nextOffset() {
            return ++offset;
        }

        @Override
        public void onCommitted(int partition, long at) {
            acknowledged.merge(partition, at, Math::max);
        }
    }
}
