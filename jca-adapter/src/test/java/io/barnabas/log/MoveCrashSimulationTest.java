package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * A log that is moved between two directories, to and fro, while it is written to, cut and shortened, and the process or the machine ends
 * before a random operation of a disk, or in order, again and again; at some starts one of the directories is away. After each start the
 * log is what was promised, wherever it is; at the end every move that was begun and not given up is done, and there is one log.
 */
class MoveCrashSimulationTest {
    private static final Path HERE = Path.of("/here").toAbsolutePath();
    private static final Path THERE = Path.of("/there").toAbsolutePath();
    private static final int SEEDS = Integer.getInteger("seeds", 150);
    private static final int ROUNDS = 6;

    private int resumed;
    private int finished;
    private int missing;

    @Test
    void aMoveThatIsInterruptedGoesOnAndLosesNothing() {
        for (int seed = 0; seed < SEEDS; seed++) {
            play(seed, false);
        }
        assertThat(resumed).as("moves that went on after a start").isGreaterThan(SEEDS / 2);
        assertThat(finished).as("of them done at the end").isPositive();
        assertThat(missing).as("logs that are not where the metadata say").isPositive();
    }

    @Test
    void aDiskThatOnlySaysItForcesIsFoundOut() {
        int found = 0;
        for (int seed = 0; seed < 40; seed++) {
            try {
                play(seed, true);
            } catch (AssertionError | RuntimeException e) {
                found++;
            }
        }
        assertThat(found).isPositive();
    }

    private void play(int seed, boolean lies) {
        try {
            new Run(seed, lies).play();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    private final class Run {
        private final Random random;
        private final SimulatedDisk disk;
        private final LogConfig config;
        private final LogFixture fixture;
        /** {@code offset:value} of everything that may be there. */
        private List<String> attempted = new ArrayList<>();

        private List<Integer> sequences = new ArrayList<>(); // by offset
        private long promised; // everything below must be there
        private long acknowledged;
        private long startOffset; // acknowledged deletions
        private Path recorded = HERE; // where the metadata say that the log is
        private Set<Path> away = Set.of();
        private int epoch;
        private int sequence;
        private int value;

        Run(int seed, boolean lies) {
            random = new Random(seed);
            disk = new SimulatedDisk(seed);
            disk.forcesAreLies = lies;
            TopicSettings topic = new TopicSettings();
            topic.segmentBytes = 800_000 + random.nextInt(800_000);
            topic.indexIntervalBytes = 4096;
            topic.durability = LogConfig.Durability.FSYNC;
            config = topic.build();
            fixture = new LogFixture(disk, LogFixture.settings(config, HERE, THERE));
            fixture.log(config);
            begin();
        }

        void play() {
            for (int round = 0; round < ROUNDS; round++) {
                boolean orderly = random.nextInt(4) == 0;
                boolean there = fixture.directories().log(LogFixture.T0).isPresent();
                try {
                    if (there) {
                        work(orderly);
                    }
                    if (orderly) {
                        fixture.close();
                        promised = acknowledged;
                    }
                } catch (SimulatedDisk.Crash e) {
                    orderly = false;
                }
                disk.neverCrash();
                end(orderly);
                away = random.nextInt(4) > 0 ? Set.of() : Set.of(random.nextBoolean() ? HERE : THERE);
                fixture.metadataLearn = random.nextInt(3) > 0;
                start();
            }
            end(false);
            away = Set.of();
            fixture.metadataLearn = true;
            start();
            finishMoves();
        }

        private void end(boolean orderly) {
            if (orderly) {
                disk.restart(SimulatedDisk.End.PROCESS_KILLED);
                return;
            }
            fixture.abandon();
            if (random.nextBoolean()) {
                disk.restart(SimulatedDisk.End.PROCESS_KILLED);
                promised = acknowledged;
            } else {
                disk.restart(SimulatedDisk.End.POWER_LOST);
                acknowledged = promised; // of the rest some may be there
            }
        }

        /** The leader of a start that may have lost records leads in another epoch (KIP-320). */
        private void start() {
            disk.away(away);
            fixture.restart();
            begin();
            epoch++;
            boolean all = fixture.directories().disks().stream().allMatch(DiskDirectory::online);
            if (all || fixture.directories().log(LogFixture.T0).isPresent()) {
                verify();
                resumed += fixture.directories().futureLogs().size();
            } else if (!away.contains(recorded)) {
                missing++;
                assertThat(fixture.directories().futureLogs().isEmpty()
                                && fixture.directories().moved().isEmpty())
                        .as("nothing says that the log is not to be begun in " + recorded)
                        .isFalse();
            }
        }

        private void begin() {
            fixture.directories().boundMoves(() -> LogMover.PIECE_BYTES);
            fixture.directories().onSettled(this::learn);
        }

        private void learn(PartitionLog log) {
            if (fixture.metadataLearn) {
                recorded = log.directory().path();
            }
        }

        private void work(boolean orderly) {
            if (!orderly) {
                disk.crashAfter(1 + random.nextInt(250));
            }
            for (int i = 0; i < 40; i++) {
                PartitionLog log = log();
                log.onHighWatermark(log.logEndOffset());
                int dice = random.nextInt(40);
                if (dice < 18) {
                    append(log);
                } else if (dice < 21) {
                    log.flush();
                    promised = Math.max(promised, log.recoveryPoint());
                } else if (dice < 24) {
                    truncate(log);
                } else if (dice < 25) {
                    long to = log.logStartOffset()
                            + random.nextInt((int) (log.logEndOffset() - log.logStartOffset() + 1));
                    startOffset = Math.max(startOffset, to);
                    log.deleteRecordsBefore(to);
                } else if (dice < 29) {
                    move(random.nextInt(6) == 0);
                } else {
                    fixture.ticker.advance(random.nextInt(2_500));
                }
            }
        }

        private PartitionLog log() {
            return fixture.directories().log(LogFixture.T0).orElseThrow();
        }

        private void move(boolean giveUp) {
            for (DiskDirectory each : fixture.directories().disks()) {
                if (each.online() && (each == log().directory()) == giveUp) {
                    var unused = fixture.directories().move(LogFixture.T0, each);
                    return;
                }
            }
        }

        private void append(PartitionLog log) {
            long base = log.logEndOffset();
            String text = "v" + value++ + "x".repeat(random.nextInt(3) == 0 ? 10 : 100_000 + random.nextInt(150_000));
            attempted = new ArrayList<>(attempted.subList(0, (int) base));
            sequences = new ArrayList<>(sequences.subList(0, (int) base));
            attempted.add(base + ":" + text);
            sequences.add(sequence);
            log.append(LogFixture.idempotent(5, 0, sequence, text), AppendOrigin.CLIENT, epoch);
            sequence++;
            acknowledged = log.logEndOffset();
            if (random.nextInt(10) == 0 && log.durable(acknowledged).isDone()) {
                promised = Math.max(promised, acknowledged);
            }
        }

        /** As a follower of a new leader, or behind the log start one that begins anew. */
        private void truncate(PartitionLog log) {
            long to = log.logEndOffset() - random.nextInt(5);
            if (to > log.logStartOffset() && to < log.logEndOffset()) {
                epoch++;
                promised = Math.min(promised, to);
                acknowledged = Math.min(acknowledged, to);
                log.truncateTo(to);
                nextSequence(log);
            }
        }

        private void verify() {
            PartitionLog log = fixture.log(config);
            learn(log);
            long end = log.logEndOffset();
            assertThat(end).as("end").isBetween(promised, (long) attempted.size());
            assertThat(log.logStartOffset()).as("start").isLessThanOrEqualTo(startOffset);
            boolean same = LogFixture.contents(log).equals(attempted.subList((int) log.logStartOffset(), (int) end));
            assertThat(same).as("contents up to " + end).isTrue();
            nextSequence(log);
            if (end > log.logStartOffset()) {
                assertThat(sequence).isEqualTo(sequences.get((int) end - 1) + 1);
            }
            acknowledged = end;
            promised = Math.min(promised, end);
        }

        private void finishMoves() {
            int under = fixture.directories().futureLogs().size();
            for (int i = 0; i < 200; i++) {
                fixture.ticker.advance(1_000);
            }
            assertThat(fixture.directories().futureLogs()).isEmpty();
            finished += under;
            verify();
            assertThat(folders("t-0")).hasSize(1);
            assertThat(folders("-future")).isEmpty();
            assertThat(folders("-delete")).isEmpty();
            assertThat(folders("-moved")).isEmpty();
            fixture.crash();
            begin();
            verify();
            fixture.close();
        }

        private List<Path> folders(String ending) {
            List<Path> found = new ArrayList<>();
            for (Path directory : List.of(HERE, THERE)) {
                try {
                    found.addAll(disk.list(directory));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
            return found.stream()
                    .filter(path -> path.toString().endsWith(ending))
                    .toList();
        }

        private void nextSequence(PartitionLog log) {
            List<PartitionLog.ProducerInfo> producers = log.activeProducers();
            sequence = producers.isEmpty() ? 0 : producers.get(0).lastSequence() + 1;
        }
    }
}
