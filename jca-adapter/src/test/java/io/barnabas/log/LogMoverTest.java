package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Moves between two directories, beside appends and deletions, and with an end at any step. */
class LogMoverTest {
    private static final Path HERE = Path.of("/here").toAbsolutePath();
    private static final Path THERE = Path.of("/there").toAbsolutePath();
    private static final long TIME = 1_700_000_000_000L;

    private final MemoryFileStore files = new MemoryFileStore();
    private LogFixture fixture = new LogFixture(files, LogFixture.settings(LogConfig.defaults(), HERE, THERE));

    @Test
    void aBoundSlowsTheCopyAndCanBeTakenBack() {
        PartitionLog source = fixture.log(config(LogConfig.Durability.OS, 8 << 20));
        log(source, "x".repeat(LogMover.PIECE_BYTES / 2 - 1000), 20); // some 10 MiB
        long[] bytesPerSecond = {LogMover.PIECE_BYTES};
        fixture.directories().boundMoves(() -> bytesPerSecond[0]);

        CompletableFuture<PartitionLog> moved = move(fixture);
        for (int i = 0; i < 50; i++) {
            fixture.ticker.advance(100);
        }

        assertThat(moved).isNotDone();
        assertThat(fixture.directories().futureLogs().iterator().next().logEndOffset())
                .isBetween(4L, 14L);
        bytesPerSecond[0] = Long.MAX_VALUE;
        fixture.ticker.advance(1_000);
        assertThat(moved).isCompleted();
        assertThat(moved.join().logEndOffset()).isEqualTo(20);
    }

    @AfterEach
    void close() {
        files.setFault((operation, path) -> {});
        fixture.close();
    }

    private static LogConfig config(LogConfig.Durability durability, int segmentBytes) {
        TopicSettings topic = new TopicSettings();
        topic.segmentBytes = segmentBytes;
        topic.indexIntervalBytes = 200;
        topic.durability = durability;
        return topic.build();
    }

    private static CompletableFuture<PartitionLog> move(LogFixture fixture) {
        return fixture.directories()
                .move(LogFixture.T0, fixture.directories().directories().get(1));
    }

    private static void append(PartitionLog log, int from, int to) {
        for (int i = from; i < to; i++) {
            log.append(batch(TIME, "v" + i), AppendOrigin.CLIENT, 0);
        }
    }

    /** Three large records, so that they are not all copied under the lock, and small ones up to 20. */
    private PartitionLog twentyRecords() {
        PartitionLog source = fixture.log(config(LogConfig.Durability.OS, 2 << 20));
        log(source, "x".repeat(LogMover.PIECE_BYTES / 2 - 1000), 3);
        append(source, 3, 20);
        return source;
    }

    /** What happens beside the copy, once, when it first writes without the lock. */
    private void beside(PartitionLog source, Runnable work) {
        boolean[] done = new boolean[1];
        files.setFault((operation, path) -> {
            boolean copies = operation.equals("write")
                    && path.startsWith(THERE)
                    && path.toString().endsWith(".log");
            if (copies && !done[0] && !Thread.holdsLock(((SegmentedLog) source).lock())) {
                done[0] = true;
                work.run();
            }
        });
    }

    @Test
    void recordsDeletedDuringTheMoveStayDeleted() {
        // Given
        PartitionLog source = twentyRecords();
        LogConfig config = source.config();
        beside(source, () -> source.deleteRecordsBefore(7));

        // When
        PartitionLog moved = move(fixture).join();

        // Then
        assertThat(moved.logStartOffset()).isEqualTo(7);
        fixture.crash();
        assertThat(fixture.log(config).logStartOffset()).isEqualTo(7);
        assertThat(contents(fixture.log(config))).hasSize(13).startsWith("7:v7");
    }

    @Test
    void whatIsTruncatedDuringTheMoveIsTruncatedInTheCopyToo() {
        // Given
        PartitionLog source = twentyRecords();
        beside(source, () -> {
            source.truncateTo(10);
            append(source, 30, 35);
        });

        // When
        PartitionLog moved = move(fixture).join();

        // Then
        assertThat(contents(moved)).hasSize(15).endsWith("9:v9", "10:v30", "11:v31", "12:v32", "13:v33", "14:v34");
    }

    @Test
    void anEpochWithoutBatchesAndNewSettingsMoveToo() {
        // Given
        PartitionLog source = twentyRecords();
        LogConfig newer = config(LogConfig.Durability.OS, 900);
        beside(source, () -> {
            source.onLeaderEpoch(3);
            source.reconfigure(newer);
        });

        // When
        PartitionLog moved = move(fixture).join();

        // Then
        assertThat(moved.latestEpoch()).hasValue(3);
        assertThat(moved.endOffsetFor(0)).isEqualTo(new PartitionLog.EpochEnd(0, 20));
        assertThat(moved.config()).isSameAs(newer);
    }

    @Test
    void aProducerWhoseBatchesAreDeletedIsKnownAfterTheMove() {
        // Given
        LogConfig config = config(LogConfig.Durability.OS, 500);
        SegmentedLog source = (SegmentedLog) fixture.log(config);
        source.append(LogFixture.idempotent(7, 0, 0, "a"), AppendOrigin.CLIENT, 0);
        source.onHighWatermark(1);
        source.roll();
        source.deleteSegmentsBelow(1);

        // When
        move(fixture).join();
        fixture.crash();

        // Then
        AppendResult again = fixture.log(config).append(LogFixture.idempotent(7, 0, 0, "a"), AppendOrigin.CLIENT, 0);
        assertThat(again.duplicate()).isTrue();
        assertThat(again.baseOffset()).isZero();
    }

    @Test
    void nothingIsForcedWhileAppendsWait() {
        // Given
        SegmentedLog source = (SegmentedLog) fixture.log(config(LogConfig.Durability.FSYNC, 500));
        append(source, 0, 20);
        List<String> underLock = new ArrayList<>();
        files.setFault((operation, path) -> {
            if (Thread.holdsLock(source.lock()) && (operation.contains("force") || operation.contains("sync"))) {
                underLock.add(operation + " " + path);
            }
        });

        // When
        PartitionLog moved = move(fixture).join();

        // Then
        assertThat(underLock).isEmpty();
        assertThat(moved.recoveryPoint()).isEqualTo(20);
    }

    @Test
    void aLogWhoseLastBatchesCompactionTookEndsWhereItDid() {
        // Given
        LogConfig config = config(LogConfig.Durability.OS, 500);
        SegmentedLog source = (SegmentedLog) fixture.log(config);
        append(source, 0, 2);
        source.roll();
        append(source, 2, 4);
        source.roll();
        source.flush();
        Segment last = source.view().segments()[1];
        assertThat(source.replaceSegments(List.of(), List.of(last), source.truncations()))
                .isTrue();

        // When
        PartitionLog moved = move(fixture).join();
        append(moved, 4, 5);

        // Then
        assertThat(contents(moved)).containsExactly("0:v0", "1:v1", "4:v4");
        moved.flush();
        fixture.crash();
        assertThat(contents(fixture.log(config))).containsExactly("0:v0", "1:v1", "4:v4");
    }

    @Test
    void aLogOfWhichCompactionTookAllEndsWhereItDid() {
        // Given
        LogConfig config = config(LogConfig.Durability.OS, 500);
        SegmentedLog source = (SegmentedLog) fixture.log(config);
        append(source, 0, 2);
        source.roll();
        source.flush();
        Segment first = source.view().segments()[0];
        assertThat(source.replaceSegments(List.of(), List.of(first), source.truncations()))
                .isTrue();

        // When
        PartitionLog moved = move(fixture).join();
        append(moved, 2, 3);

        // Then
        assertThat(contents(moved)).containsExactly("2:v2");
        moved.flush();
        fixture.crash();
        assertThat(contents(fixture.log(config))).containsExactly("2:v2");
    }

    @Test
    void whoHoldsTheOldLogIsToldWhereTheNewOneIs() {
        // Given
        PartitionLog source = fixture.log(config(LogConfig.Durability.OS, 500));
        append(source, 0, 3);

        // When
        PartitionLog moved = move(fixture).join();

        // Then
        assertThatThrownBy(() -> append(source, 3, 4))
                .isInstanceOfSatisfying(
                        LogMovedException.class, e -> assertThat(e.successor()).isSameAs(moved));
    }

    /** At each piece of the copy, as long as it does not hold the lock, twice as much is appended. */
    @Test
    void aProducerFasterThanTheCopyIsSlowedDownUntilTheMoveEnds() {
        // Given
        SegmentedLog source = (SegmentedLog) fixture.log(config(LogConfig.Durability.OS, 64 << 20));
        String value = "x".repeat(LogMover.PIECE_BYTES / 4);
        append(source, 0, 2);
        log(source, value, 12);
        int[] held = new int[1];
        boolean[] within = new boolean[1];
        files.setFault((operation, path) -> {
            boolean copies = operation.equals("write")
                    && path.startsWith(THERE)
                    && path.toString().endsWith(".log");
            if (!copies || within[0]) {
                return;
            }
            if (Thread.holdsLock(source.lock())) {
                held[0]++;
            } else {
                within[0] = true;
                log(source, value, 8);
                within[0] = false;
            }
        });

        // When
        CompletableFuture<PartitionLog> moved = move(fixture);

        // Then
        assertThat(moved).isCompleted();
        assertThat(held[0]).isPositive();
        assertThat(moved.join().logEndOffset()).isEqualTo(source.logEndOffset()).isGreaterThan(14);
    }

    private static void log(PartitionLog log, String value, int times) {
        for (int i = 0; i < times; i++) {
            log.append(batch(TIME, value), AppendOrigin.CLIENT, 0);
        }
    }

    @Test
    void aNameThatWouldBeCutIsNotMoved() throws IOException {
        // Given
        TopicPartition longest = new TopicPartition("n".repeat(240), 0);
        fixture.log(longest, config(LogConfig.Durability.OS, 500)).append(batch(TIME, "a"), AppendOrigin.CLIENT, 0);

        // When / Then
        assertThatThrownBy(() -> fixture.directories()
                        .move(longest, fixture.directories().directories().get(1)))
                .isInstanceOf(InvalidTopicException.class);
        fixture.crash();
        assertThat(contents(fixture.log(longest, config(LogConfig.Durability.OS, 500))))
                .containsExactly("0:a");
    }

    @ParameterizedTest
    @EnumSource
    void anEndAtAnyStepOfAMoveLosesNothingThatWasPromised(SimulatedDisk.End end) {
        int ends = 0;
        for (int seed = 0; seed < 8; seed++) {
            boolean finished = false;
            for (int step = 1; !finished; step++) {
                SimulatedDisk disk = new SimulatedDisk(seed * 1000L + step);
                finished = new MoveThatEnds(disk, end, seed % 2 == 0).passes(step, "seed " + seed + " step " + step);
                ends += finished ? 0 : 1;
            }
        }
        assertThat(ends).isGreaterThan(300);
    }

    /** A log that is moved, written to as soon as that is announced and forced, on a disk that stops at a step. */
    private static final class MoveThatEnds {
        private final SimulatedDisk disk;
        private final SimulatedDisk.End end;
        private final boolean deletes;
        private final LogConfig config = config(LogConfig.Durability.FSYNC, 500);
        private final LogFixture fixture;
        private int acknowledged;
        private long forced;

        MoveThatEnds(SimulatedDisk disk, SimulatedDisk.End end, boolean deletes) {
            this.disk = disk;
            this.end = end;
            this.deletes = deletes;
            this.fixture = new LogFixture(disk, LogFixture.settings(LogConfig.defaults(), HERE, THERE));
        }

        boolean passes(int step, String at) {
            PartitionLog log = fixture.log(config);
            write(log, 20);
            assertThat(log.durable(20)).isCompleted();
            forced = 20;
            if (deletes) {
                log.deleteRecordsBefore(6);
            }
            write(log, 23);
            fixture.directories().onMoved(moved -> write(moved, 26));
            disk.crashAfter(step);
            boolean finished = moves();
            boolean over = disk.crashed();
            disk.neverCrash();
            fixture.abandon();
            disk.restart(end);
            fixture.restart();
            check(at);
            fixture.crash();
            check(at + ", again");
            fixture.ticker.advance(300_000); // the move goes on, and what is left over is deleted
            check(at + ", in the end");
            assertThat(folders()).as(at).hasSize(1).allMatch(path -> path.endsWith("t-0"));
            fixture.close();
            return finished && !over;
        }

        private List<Path> folders() {
            try {
                return Stream.concat(disk.list(HERE).stream(), disk.list(THERE).stream())
                        .filter(path -> path.getFileName().toString().startsWith("t-0"))
                        .toList();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        private boolean moves() {
            try {
                PartitionLog moved = move(fixture).join();
                write(moved, 30);
                if (moved.durable(acknowledged).isDone()) {
                    forced = acknowledged;
                }
                fixture.ticker.advance(120_000);
                return true;
            } catch (SimulatedDisk.Crash e) {
                return false;
            }
        }

        private void write(PartitionLog log, int to) {
            while (acknowledged < to) {
                log.append(batch(TIME, "v" + acknowledged), AppendOrigin.CLIENT, 0);
                acknowledged++;
            }
        }

        private void check(String at) {
            PartitionLog log = fixture.log(config);
            long least = end == SimulatedDisk.End.POWER_LOST ? forced : acknowledged;
            assertThat(log.logEndOffset()).as(at).isBetween(least, acknowledged + 1L);
            assertThat(log.logStartOffset()).as(at).isEqualTo(deletes ? 6 : 0);
            List<String> wanted = new ArrayList<>();
            for (long i = log.logStartOffset(); i < log.logEndOffset(); i++) {
                wanted.add(i + ":v" + i);
            }
            assertThat(contents(log)).as(at).isEqualTo(wanted);
            forced = Math.max(forced, log.recoveryPoint());
            acknowledged = (int) log.logEndOffset();
        }
    }
}
