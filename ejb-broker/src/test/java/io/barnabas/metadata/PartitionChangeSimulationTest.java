package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/**
 * The rule of a partition's changes against a model of its replicas, by seed: brokers go, come back, lose their last records, replicas
 * fall behind and catch up. Whoever leads must have all that was acknowledged, unless every replica that had it lost records.
 */
@NullUnmarked
class PartitionChangeSimulationTest {
    private static final int SEEDS = 2_000;
    private static final int STEPS = 60;
    private static final int REPLICAS = 4;
    private static final int MIN_IN_SYNC = 2;

    private static final class Run {
        private final Random random;
        private final boolean keepsEligible;
        private final int[] end = new int[REPLICAS];
        private final Set<Integer> inService = new HashSet<>();
        private PartitionImage partition;
        private int acknowledged;
        private boolean lost;

        Run(long seed, boolean keepsEligible) {
            this.random = new Random(seed);
            this.keepsEligible = keepsEligible;
            List<Integer> all = IntStream.range(0, REPLICAS).boxed().toList();
            inService.addAll(all);
            partition = new PartitionImage(
                    0,
                    0,
                    0,
                    0,
                    all,
                    all,
                    List.of(),
                    List.of(),
                    List.of(),
                    List.of(),
                    all.stream().map(id -> new Uuid(id, 1)).toList(),
                    false);
        }

        void run() {
            for (int i = 0; i < STEPS && !lost; i++) {
                step();
                acknowledge();
                if (partition.leader() >= 0 && end[partition.leader()] < acknowledged) {
                    lost = true;
                }
            }
        }

        private void step() {
            int broker = random.nextInt(REPLICAS);
            switch (random.nextInt(8)) {
                case 0 -> depart(broker, false);
                case 1 -> depart(broker, true);
                case 2, 3 -> arrive(broker);
                case 4 -> shrink(broker);
                case 5, 6 -> expand(broker);
                default -> append();
            }
        }

        private PartitionChange change() {
            return new PartitionChange(
                    new Uuid(5, 5),
                    partition,
                    new PartitionChange.Terms(inService::contains, MIN_IN_SYNC, keepsEligible, id -> new Uuid(id, 1)));
        }

        private void make(PartitionChange change) {
            Optional<PartitionChangeRecord> record = change.decide();
            PartitionImage before = partition;
            record.ifPresent(r -> partition = PartitionReplay.changed(partition, r));
            int leader = partition.leader();
            if (leader >= 0 && leader != before.leader()) {
                if (!before.isr().contains(leader) && !before.elr().contains(leader)) {
                    acknowledged = Math.min(acknowledged, end[leader]); // all that had more lost records
                }
                for (int i = 0; i < REPLICAS; i++) { // followers cut what the leader has not
                    end[i] = inService.contains(i) ? Math.min(end[i], end[leader]) : end[i];
                }
            }
        }

        private void depart(int broker, boolean unclean) {
            inService.remove(broker);
            if (unclean) {
                end[broker] = Math.max(0, end[broker] - random.nextInt(3));
                make(change().withoutUnclean(broker));
            } else {
                make(change().without(broker));
            }
        }

        private void arrive(int broker) {
            inService.add(broker);
            if (partition.leader() < 0) {
                make(change());
            } else if (inService.contains(broker)) {
                end[broker] = Math.min(end[broker], end[partition.leader()]);
            }
        }

        private void shrink(int broker) {
            if (partition.leader() >= 0 && broker != partition.leader()) {
                make(change().without(broker));
            }
        }

        private void expand(int broker) {
            if (partition.leader() >= 0
                    && inService.contains(broker)
                    && !partition.isr().contains(broker)) {
                end[broker] = end[partition.leader()];
                List<Integer> isr = new java.util.ArrayList<>(partition.isr());
                isr.add(broker);
                make(change().toIsr(isr));
            }
        }

        private void append() {
            if (partition.leader() >= 0) {
                end[partition.leader()]++;
                for (int i : partition.isr()) {
                    end[i] = random.nextBoolean() ? end[partition.leader()] : end[i];
                }
            }
        }

        /** The high watermark moves only with enough in sync. */
        private void acknowledge() {
            if (partition.leader() >= 0 && partition.isr().size() >= MIN_IN_SYNC) {
                int least = partition.isr().stream().mapToInt(i -> end[i]).min().orElse(0);
                acknowledged = Math.max(acknowledged, least);
            }
        }

        @Override
        public String toString() {
            return partition + " ends " + Arrays.toString(end) + " acknowledged " + acknowledged;
        }
    }

    @Test
    void whoeverLeadsHasAllThatWasAcknowledged() {
        for (long seed = 0; seed < SEEDS; seed++) {
            Run run = new Run(seed, true);
            run.run();
            assertThat(run.lost).as("seed %s: %s", seed, run).isFalse();
        }
    }

    @Test
    void withoutEligibleLeadersTheLastReplicaStandingLosesRecords() {
        boolean lost = false;
        for (long seed = 0; seed < SEEDS && !lost; seed++) {
            Run run = new Run(seed, false);
            run.run();
            lost = run.lost;
        }
        assertThat(lost).isTrue();
    }
}
