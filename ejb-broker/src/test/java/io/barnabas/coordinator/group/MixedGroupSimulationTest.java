package io.barnabas.coordinator.group;

import static io.barnabas.coordinator.group.GroupFixture.GROUP;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Assignment;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Members of both protocols come, go, crash and change their minds, the topic grows; appends are refused or lost and coordinators
 * restarted between any two steps; all by a seed. Whatever happens: no partition has two owners, a member's and the group's epoch never
 * go back, every request is answered, and when peace returns everybody is in the group and every partition has an owner.
 */
class MixedGroupSimulationTest {
    private static final int SEEDS = 500;
    private static final int STEPS = 250;

    @Test
    void a_group_of_both_protocols_keeps_its_promises_whatever_happens() {
        GroupRun.forEachSeed(SEEDS, seed -> new Run(seed).play());
    }

    /** One run by one seed. */
    private static final class Run extends GroupRun<GroupRun.Participant> {
        private final Uuid topic;
        private int partitions = 6;
        private int groupEpoch;

        Run(long seed) {
            super(seed);
            topic = fixture.createTopic("t", partitions);
        }

        void play() {
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

        private Participant member(@Nullable String instanceId) {
            String name = nextName();
            String instance = instanceId == null && random.nextInt(3) == 0 ? "i-" + name : instanceId;
            return coin() ? new SimulatedConsumer(name, instance, this) : new SimulatedClassic(name, instance, 9, this);
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
            requireAnswered();
            assertThat(GroupFixture.now(fixture.groups.delete(List.of(GROUP)))
                            .get(0)
                            .errorCode())
                    .isIn(Errors.NONE.code(), Errors.GROUP_ID_NOT_FOUND.code());
        }

        @Override
        Uuid topicId() {
            return topic;
        }

        @Override
        int partitions() {
            return partitions;
        }

        @Override
        long nextOffset() {
            return 0; // nobody commits
        }

        @Override
        void onAssigned(SimulatedClassic member, int generation, Set<Integer> assigned) {}

        @Override
        void onCommitted(int partition, long offset) {}
    }
}
