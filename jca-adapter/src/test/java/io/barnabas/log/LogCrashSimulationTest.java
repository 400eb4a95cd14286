package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A log under random work is stopped before a random operation of its file system, by a kill or by the loss of power, again and again;
 * after each start what was acknowledged (killed) or forced (power lost) is there once, in order, at its offset, and nothing else is but
 * what was attempted.
 */
class LogCrashSimulationTest {
    private static final Path DIRECTORY = Path.of("/sim").toAbsolutePath();
    private static final int SEEDS = Integer.getInteger("seeds", 200);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWasPromisedSurvivesEveryCrash(boolean powerLoss) {
        for (int seed = 0; seed < SEEDS; seed++) {
            try {
                new Run(seed, powerLoss).play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + " powerLoss " + powerLoss, e);
            }
        }
    }

    private static final class Run {
        private final Random random;
        private final boolean powerLoss;
        private final MemoryFileStore files = new MemoryFileStore();
        private final LogConfig config;
        /** {@code offset:value} of everything that may be there, from the log start on. */
        private List<String> attempted = new ArrayList<>();

        private long promised; // everything below must be there
        private long acknowledged; // appended, killed or not
        private long startOffset; // acknowledged deletions
        private int sequence;
        private int value;

        Run(int seed, boolean powerLoss) {
            this.random = new Random(seed);
            this.powerLoss = powerLoss;
            TopicSettings topic = new TopicSettings();
            topic.segmentBytes = 600 + random.nextInt(1200);
            topic.indexIntervalBytes = 1 + random.nextInt(300);
            topic.durability = LogConfig.Durability.FSYNC;
            config = topic.build();
        }

        void play() {
            LogFixture fixture = new LogFixture(files, LogFixture.settings(config, DIRECTORY));
            fixture.log(config);
            for (int round = 0; round < 6; round++) {
                int[] left = {20 + random.nextInt(300)};
                files.setFault((operation, path) -> {
                    if (!operation.equals("read") && left[0]-- <= 0) {
                        throw new MemoryFileStore.Crash();
                    }
                });
                try {
                    work(fixture);
                    files.setFault((operation, path) -> {});
                    if (random.nextBoolean()) {
                        fixture.reopen();
                        promised = acknowledged;
                        verify(fixture);
                        continue;
                    }
                } catch (MemoryFileStore.Crash e) {
                    // the process ends here
                }
                files.setFault((operation, path) -> {});
                fixture.abandon();
                stop();
                fixture.restart();
                verify(fixture);
            }
            fixture.close();
        }

        private void stop() {
            if (powerLoss) {
                files.losePower(random);
            } else {
                files.kill();
                promised = acknowledged;
            }
        }

        private void work(LogFixture fixture) {
            PartitionLog log = fixture.log(config);
            log.onHighWatermark(log.logEndOffset());
            for (int i = 0; i < 60; i++) {
                int dice = random.nextInt(40);
                if (dice < 34) {
                    append(log);
                } else if (dice < 36) {
                    log.flush();
                    promised = Math.max(promised, log.recoveryPoint());
                } else if (dice < 37) {
                    truncate(log);
                } else if (dice < 38) {
                    long to = log.logStartOffset()
                            + random.nextInt((int) (log.logEndOffset() - log.logStartOffset() + 1));
                    startOffset = Math.max(startOffset, to);
                    log.deleteRecordsBefore(to);
                } else {
                    fixture.ticker.advance(61_000);
                }
                log.onHighWatermark(log.logEndOffset());
            }
        }

        private void append(PartitionLog log) {
            String[] values = new String[1 + random.nextInt(3)];
            for (int i = 0; i < values.length; i++) {
                values[i] = "v" + value++ + "x".repeat(random.nextInt(60));
            }
            long base = log.logEndOffset();
            attempted = new ArrayList<>(attempted.subList(0, (int) base));
            for (int i = 0; i < values.length; i++) {
                attempted.add(base + i + ":" + values[i]);
            }
            log.append(LogFixture.idempotent(5, 0, sequence, values), AppendOrigin.CLIENT, 1);
            sequence += values.length;
            acknowledged = log.logEndOffset();
            if (random.nextInt(10) == 0 && log.durable(acknowledged).isDone()) {
                promised = Math.max(promised, acknowledged);
            }
        }

        private void truncate(PartitionLog log) {
            long to = log.logEndOffset() - random.nextInt(4);
            if (to > log.logStartOffset() && to < log.logEndOffset()) {
                promised = Math.min(promised, to - 4); // a batch has at most 3 records and goes as a whole
                acknowledged = Math.min(acknowledged, to - 4);
                log.truncateTo(to);
                acknowledged = log.logEndOffset();
                nextSequence(log);
            }
        }

        private void verify(LogFixture fixture) {
            PartitionLog log = fixture.log(config);
            long end = log.logEndOffset();
            assertThat(end).as("end").isBetween(promised, (long) attempted.size());
            assertThat(log.logStartOffset()).isLessThanOrEqualTo(Math.max(startOffset, 0));
            assertThat(LogFixture.contents(log)).isEqualTo(attempted.subList((int) log.logStartOffset(), (int) end));
            nextSequence(log);
            acknowledged = end;
            promised = Math.min(promised, end);
        }

        private void nextSequence(PartitionLog log) {
            List<PartitionLog.ProducerInfo> producers = log.activeProducers();
            sequence = producers.isEmpty() ? 0 : producers.get(0).lastSequence() + 1;
        }
    }
}
