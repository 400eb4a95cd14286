package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static io.barnabas.coordinator.group.GroupFixture.LOG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Assignment;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Members of both protocols come, go, crash and change their minds, the topic grows; appends are refused or lost and coordinators
 * restarted between any two steps; all by a seed. Whatever happens: no partition has two owners, a member's and the group's epoch never
 * go back, every request is answered, and when peace returns everybody is in the group and every partition has an owner.
 */
class MixedGroupSimulationTest {
    static final int SESSION_MS = 45_000; // of TestConsumerGroups
    private static final int SEEDS = Integer.getInteger("barnabas.simulation.seeds", 500);
    private static final long FIRST_SEED = Long.getLong("barnabas.simulation.firstSeed", 1L);
    private static final int STEPS = 250;
    private static final Logger LOGS = Logger.getLogger("io.barnabas.coordinator");

    /** What members tell the simulation, and where their requests go. */
    interface World {
        GroupCoordinator coordinator();

        <T> CompletableFuture<T> sent(CompletableFuture<T> request);

        long nowMs();

        Uuid topicId();

        int partitions();

        boolean coin();
    }

    /** A member of either protocol. */
    interface Participant {
        @Nullable
        String instanceId();

        /** What it takes for its own, as long as it may believe that its session lasts. */
        Set<Integer> owned();

        boolean isSettled();

        void resubscribe();

        void reconcile();

        void poll();

        void leave();
    }

    @BeforeAll
    static void quiet() {
        LOGS.setLevel(Level.OFF); // refused appends are the point here
    }

    @AfterAll
    static void loud() {
        LOGS.setLevel(Level.WARNING);
    }

    @Test
    void a_group_of_both_protocols_keeps_its_promises_whatever_happens() {
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
    private static final class Run implements World {
        private final Random random;
        private final GroupFixture fixture = new GroupFixture();
        private final Uuid topic;
        private final List<Participant> members = new ArrayList<>();
        private final List<CompletableFuture<?>> requests = new ArrayList<>();
        private int partitions = 6;
        private int names;
        private int groupEpoch;

        Run(long seed) {
            random = new Random(seed);
            topic = fixture.createTopic("t", partitions);
        }

        void play() {
            LOGS.setLevel(Level.OFF);
            for (int step = 0; step < STEPS; step++) {
                step();
                fixture.ticker.advance(random.nextInt(2_000));
                checkOwners();
            }
            calm();
            settle();
            checkRestart();
            everybodyLeaves();
        }

        private void step() {
            int dice = random.nextInt(100);
            if (dice < 9 && members.size() < 6) {
                members.add(member(null));
            } else if (dice < 12 && !members.isEmpty()) {
                members.remove(any()).leave();
            } else if (dice < 14 && !members.isEmpty()) {
                members.remove(any()); // a crash: nothing is heard of it any more
            } else if (dice < 17 && !members.isEmpty()) {
                comesBack();
            } else if (dice < 20 && !members.isEmpty()) {
                members.get(any()).resubscribe();
            } else if (dice < 25) {
                fault();
            } else if (dice < 26 && partitions < 12) {
                fixture.grow(topic, partitions++);
            } else if (dice < 30) {
                describe();
            } else {
                for (Participant member : members) {
                    if (coin()) {
                        member.reconcile();
                    }
                    member.poll();
                }
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
                default -> {
                    fixture.groups.onResigned(0);
                    if (coin()) {
                        fixture.log.loseUncommitted(LOG);
                    }
                    fixture.restart();
                }
            }
        }

        private void calm() {
            fixture.log.refuse(new IllegalStateException("never"), 0);
            fixture.log.holdCommits(false);
            fixture.log.commitAll(LOG);
        }

        private int any() {
            return random.nextInt(members.size());
        }

        private Participant member(@Nullable String instanceId) {
            String name = "m" + names++;
            String instance = instanceId == null && random.nextInt(3) == 0 ? "i-" + name : instanceId;
            return coin() ? new SimulatedConsumer(name, instance, this) : new SimulatedClassic(name, instance, this);
        }

        /** A process is started again, perhaps with the other protocol; a static one under its instance id. */
        private void comesBack() {
            Participant former = members.remove(any());
            if (coin()) {
                former.leave();
            }
            members.add(member(former.instanceId()));
        }

        private void checkOwners() {
            Map<Integer, Participant> owners = new HashMap<>();
            for (Participant member : members) {
                for (int partition : member.owned()) {
                    assertThat(owners.put(partition, member))
                            .as("other owner of partition %s", partition)
                            .isNull();
                }
            }
        }

        /** What the coordinator says: nobody's partition is another's, and the epoch grows as long as there are members. */
        private void describe() {
            var unused = fixture.groups.describeConsumers(List.of(GROUP)).thenAccept(groups -> {
                DescribedGroup group = groups.get(0);
                if (group.errorCode() != Errors.NONE.code() || group.members().isEmpty()) {
                    groupEpoch = 0;
                    return;
                }
                assertThat(group.groupEpoch()).isGreaterThanOrEqualTo(groupEpoch);
                groupEpoch = group.groupEpoch();
                assertThat(group.assignmentEpoch()).isLessThanOrEqualTo(group.groupEpoch());
                checkDisjoint(group.members().stream().map(Member::assignment).toList());
                checkDisjoint(
                        group.members().stream().map(Member::targetAssignment).toList());
            });
        }

        private static void checkDisjoint(List<Assignment> assignments) {
            Set<Integer> all = new HashSet<>();
            assignments.forEach(assignment -> assignment.topicPartitions().forEach(of -> of.partitions()
                    .forEach(partition -> assertThat(all.add(partition))
                            .as("partition %s is once only in %s", partition, assignments)
                            .isTrue())));
        }

        /** Nothing fails any more: the group must come to rest, everybody in it, every partition owned. */
        private void settle() {
            if (members.isEmpty()) {
                members.add(member(null));
            }
            for (int i = 0; i < 300; i++) {
                members.forEach(Participant::reconcile);
                members.forEach(Participant::poll);
                fixture.ticker.advance(1_000);
                checkOwners();
            }
            members.forEach(Participant::poll);
            Set<Integer> owned = new HashSet<>();
            members.forEach(member -> owned.addAll(member.owned()));
            assertThat(owned)
                    .as("owned, of %s members in %s: %s; %s", members.size(), state(), members, described())
                    .hasSize(partitions);
            assertThat(state()).startsWith("Stable");
            assertThat(memberCount()).isEqualTo(members.size());
        }

        private DescribedGroup described() {
            return GroupFixture.now(fixture.groups.describeConsumers(List.of(GROUP)))
                    .get(0);
        }

        private boolean isConsumer() {
            return described().errorCode() == Errors.NONE.code();
        }

        private String state() {
            return isConsumer() ? described().groupState() + " consumer group" : fixture.state() + " classic group";
        }

        private int memberCount() {
            return isConsumer()
                    ? described().members().size()
                    : fixture.describe().members().size();
        }

        private void checkRestart() {
            Object before = isConsumer() ? sorted(described()) : fixture.describe();
            fixture.restart();
            assertThat((Object) (isConsumer() ? sorted(described()) : fixture.describe()))
                    .isEqualTo(before);
        }

        private static DescribedGroup sorted(DescribedGroup group) {
            List<Member> sorted = new ArrayList<>(group.members());
            sorted.sort(java.util.Comparator.comparing(Member::memberId));
            return group.setMembers(sorted);
        }

        private void everybodyLeaves() {
            members.forEach(Participant::leave);
            fixture.ticker.advance(GroupFixture.REBALANCE_MS + 600_000);
            assertThat(memberCount()).isZero();
            for (CompletableFuture<?> request : requests) {
                assertThat(request).isDone();
                request.join(); // and none of them by an exception
            }
            assertThat(GroupFixture.now(fixture.groups.delete(List.of(GROUP)))
                            .get(0)
                            .errorCode())
                    .isIn(Errors.NONE.code(), Errors.GROUP_ID_NOT_FOUND.code());
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
        public long nowMs() {
            return fixture.clock.monotonicMillis();
        }

        @Override
        public Uuid topicId() {
            return topic;
        }

        @Override
        public int partitions() {
            return partitions;
        }

        @Override
        public boolean coin() {
            return random.nextBoolean();
        }
    }
}
