package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static io.barnabas.log.LogFixture.idempotent;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The states that a crash or a bad disk leaves, one by one, as the package's README lists them. */
class CrashStatesTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final Path FOLDER = DIRECTORY.resolve("t-0");
    private static final String FIRST = "00000000000000000000";
    private static final long TIME = 1_700_000_000_000L;

    private final MemoryFileStore files = new MemoryFileStore();
    private LogConfig config;
    private LogFixture fixture;

    @BeforeEach
    void twentyRecordsInSeveralSegments() {
        TopicSettings topic = new TopicSettings();
        topic.segmentBytes = 800;
        topic.indexIntervalBytes = 100;
        topic.durability = LogConfig.Durability.FSYNC;
        config = topic.build();
        fixture = new LogFixture(files, LogFixture.settings(config, DIRECTORY));
        PartitionLog log = fixture.log(config);
        for (int i = 0; i < 20; i++) {
            log.append(idempotent(5, 0, i, "v" + i), AppendOrigin.CLIENT, 4);
        }
        log.onHighWatermark(20);
    }

    private static void assertWhole(PartitionLog log) {
        assertThat(contents(log)).hasSize(20).startsWith("0:v0").endsWith("19:v19");
        assertThat(log.logEndOffset()).isEqualTo(20);
        assertThat(log.latestEpoch()).hasValue(4);
        assertThat(log.activeProducers()).hasSize(1);
        // the next in sequence is accepted, so the producers' state is right
        assertThat(log.append(idempotent(5, 0, 20, "v20"), AppendOrigin.CLIENT, 4)
                        .baseOffset())
                .isEqualTo(20);
    }

    private Path lastSegment() {
        try {
            List<Path> logs = files.list(FOLDER).stream()
                    .filter(path -> path.toString().endsWith(".log"))
                    .toList();
            return logs.get(logs.size() - 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void damage(Path file, Consumer<byte[]> change) {
        try {
            byte[] bytes = files.readAll(file);
            change.accept(bytes);
            files.write(file, bytes, true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void append(Path file, int zeros) {
        try {
            byte[] bytes = files.readAll(file);
            files.write(file, java.util.Arrays.copyOf(bytes, bytes.length + zeros), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void withoutACleanShutdownMarkTheLogIsReadAgain() {
        fixture.crash();

        assertWhole(fixture.log(config));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 60, 61, 70})
    void aTornTailIsCutOffAtTheLastWholeBatch(int bytesOfTheNextBatch) throws IOException {
        // Given
        fixture.abandon();
        Path last = lastSegment();
        byte[] good = files.readAll(last);
        byte[] next = new byte[bytesOfTheNextBatch];
        LogFixture.batch(TIME, "next").buffer().get(next, 0, bytesOfTheNextBatch);
        byte[] torn = java.util.Arrays.copyOf(good, good.length + next.length);
        System.arraycopy(next, 0, torn, good.length, next.length);
        files.write(last, torn, true);

        // When
        fixture.restart();

        // Then
        assertWhole(fixture.log(config));
    }

    @Test
    void aTailOfZerosIsCutOff() {
        fixture.abandon();
        append(lastSegment(), 4096);

        assertWhole(fixture.restart().log(config));
    }

    @Test
    void aBatchWithAFlippedBitInTheUnforcedTailIsCutOffWithWhatFollows() {
        fixture.abandon();
        damage(lastSegment(), bytes -> bytes[BatchHeader.SIZE + 3] ^= 1);

        PartitionLog log = fixture.restart().log(config);

        assertThat(log.logEndOffset())
                .isEqualTo(LogFolder.offsetOf(lastSegment().getFileName().toString()));
        assertThat(contents(log)).hasSize((int) log.logEndOffset());
    }

    @Test
    void aDamagedBatchLengthBelowTheRecoveryPointSparesTheDirectoryAndTheOtherSegments() {
        // Given
        fixture.close();
        PartitionLog log = fixture.restart().log(config);
        damage(FOLDER.resolve(FIRST + ".log"), bytes -> bytes[11] = 12); // less than a header

        // When it is met
        assertThatThrownBy(() -> log.read(0, 1_000, 20, true, false)).isInstanceOf(CorruptRecordException.class);

        // Then
        assertThat(log.directory().online()).isTrue();
        assertThat(log.append(idempotent(5, 0, 20, "v20"), AppendOrigin.CLIENT, 4)
                        .baseOffset())
                .isEqualTo(20);
        log.onHighWatermark(21);
        log.deleteRecordsBefore(15);
        assertThat(contents(log)).startsWith("15:v15").endsWith("20:v20").hasSize(6);
    }

    @ParameterizedTest
    @ValueSource(strings = {".index", ".timeindex"})
    void aDamagedIndexIsNoticedAndMadeAnew(String kind) {
        // Given
        fixture.close();
        for (int at = 0; at < 8; at++) {
            int position = at;
            damage(FOLDER.resolve(FIRST + kind), bytes -> bytes[position] ^= 0x7f);
        }

        // When
        PartitionLog log = fixture.restart().log(config);

        // Then
        assertWhole(log);
    }

    @ParameterizedTest
    @ValueSource(strings = {".index", ".timeindex"})
    void anyFlippedByteOfAnIndexLeavesSearchesRight(String kind) throws IOException {
        fixture.close();
        Path index = FOLDER.resolve(FIRST + kind);
        byte[] good = files.readAll(index);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x41;
            files.write(index, bad, true);
            fixture.restart();
            PartitionLog log = fixture.log(config);
            assertThat(contents(log)).as("byte " + i).hasSize(20);
            for (int offset = 0; offset < 20; offset++) {
                ReadResult read = log.read(offset, 1, 20, true, false);
                LogSlice slice = (LogSlice) read.records();
                assertThat(slice.toMemory().batches().iterator().next().baseOffset())
                        .isEqualTo(offset);
                slice.release();
            }
            assertThat(log.offsetForTimestamp(TIME, 20))
                    .hasValueSatisfying(found -> assertThat(found.offset()).isZero());
            fixture.close();
            files.write(index, good, true);
        }
        fixture.restart();
    }

    @Test
    void aMissingIndexIsMadeAnew() throws IOException {
        fixture.close();
        files.deleteIfExists(FOLDER.resolve(FIRST + ".index"));
        files.deleteIfExists(FOLDER.resolve(FIRST + ".timeindex"));

        assertWhole(fixture.restart().log(config));
        assertThat(files.exists(FOLDER.resolve(FIRST + ".log"))).isTrue();
    }

    /** Found by the broker's simulation: the snapshot is not asked until retention has taken what it stands for. */
    @Test
    void aSnapshotOfAnUnforcedRollIsNotBelieved() throws IOException {
        // Given
        PartitionLog log = fixture.log(config);
        log.onHighWatermark(log.logEndOffset());
        log.flush();
        fixture.directories().disks().forEach(fixture.directories()::checkpoint);
        log.append(LogFixture.idempotent(7, 0, 0, "a"), AppendOrigin.CLIENT, 4);
        ((SegmentedLog) log).roll();
        fixture.abandon();
        damage(FOLDER.resolve("00000000000000000021.snapshot"), bytes -> bytes[bytes.length - 1] ^= 1);
        fixture.restart();

        // When
        PartitionLog again = fixture.log(config);
        again.onHighWatermark(again.logEndOffset());
        ((SegmentedLog) again).deleteSegmentsBelow(21);
        fixture.crash();

        // Then
        PartitionLog last = fixture.log(config);
        assertThat(last.logStartOffset()).isEqualTo(21);
        AppendResult repeated = last.append(LogFixture.idempotent(7, 0, 0, "a"), AppendOrigin.CLIENT, 4);
        assertThat(repeated.duplicate()).isTrue();
        assertThat(repeated.baseOffset()).isEqualTo(20);
    }

    @Test
    void aDamagedSnapshotIsReplacedByWhatTheBatchesSay() throws IOException {
        fixture.close();
        for (Path path : files.list(FOLDER)) {
            if (path.toString().endsWith(".snapshot")) {
                damage(path, bytes -> bytes[bytes.length - 1] ^= 1);
            }
        }

        assertWhole(fixture.restart().log(config));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "garbage", "0\n2\nt 0 5\n", "0\n1\nt 0 x\n", "1\n1\nt 0 5\n", "0\n1\nt 0 99999\n"})
    void aDamagedCheckpointCostsWorkButNoRecord(String content) throws IOException {
        // Given a crash and checkpoints that say too little, nonsense, or too much
        fixture.abandon();
        files.replace(DIRECTORY.resolve("recovery-point-offset-checkpoint"), content);
        files.replace(FOLDER.resolve("leader-epoch-checkpoint"), content);

        // When
        fixture.restart();

        // Then
        assertWhole(fixture.log(config));
    }

    @Test
    void aLogStartBeyondTheEndIsNotBelievedAfterAnOrderlyStop() throws IOException {
        fixture.close();
        files.replace(DIRECTORY.resolve("log-start-offset-checkpoint"), "0\n1\nt 0 700\n");

        assertWhole(fixture.restart().log(config));
    }

    @Test
    void aSegmentThatWasRolledButNeverWrittenToIsTheActiveOne() throws IOException {
        fixture.abandon();
        files.write(FOLDER.resolve(LogFolder.fileName(20, ".log")), new byte[0], true);

        assertWhole(fixture.restart().log(config));
    }

    @Test
    void segmentsThatWereBeingDeletedAreGoneAfterwards() throws IOException {
        fixture.abandon();
        files.rename(FOLDER.resolve(FIRST + ".log"), FOLDER.resolve(FIRST + ".log.deleted"));

        PartitionLog log = fixture.restart().log(config);

        assertThat(log.logStartOffset()).isPositive();
        assertThat(files.exists(FOLDER.resolve(FIRST + ".log.deleted"))).isFalse();
        assertThat(files.exists(FOLDER.resolve(FIRST + ".index"))).isFalse();
        assertThat(contents(log)).endsWith("19:v19");
    }

    @Test
    void aTruncationThatWasInterruptedBetweenSegmentsLeavesABeginning() throws IOException {
        fixture.abandon();
        files.deleteIfExists(lastSegment());

        PartitionLog log = fixture.restart().log(config);

        assertThat(contents(log)).startsWith("0:v0").hasSize((int) log.logEndOffset());
        assertThat(log.logEndOffset()).isLessThan(20);
    }

    @Test
    void aGapIsALossUnlessTheCleanersPointOrTheRecoveryPointLiesBehindIt() throws IOException {
        // Given the second of several segments is gone, as if its batches had been lost or compacted away
        for (int i = 20; i < 40; i++) {
            fixture.log(config).append(idempotent(5, 0, i, "v" + i), AppendOrigin.CLIENT, 4);
        }
        List<Path> logs = files.list(FOLDER).stream()
                .filter(path -> path.toString().endsWith(".log"))
                .toList();
        long second = LogFolder.offsetOf(String.valueOf(logs.get(1).getFileName()));
        long third = LogFolder.offsetOf(String.valueOf(logs.get(2).getFileName()));
        fixture.abandon();
        files.deleteIfExists(logs.get(1));
        Path points = DIRECTORY.resolve(DiskDirectory.RECOVERY_POINTS);

        // When the cleaner came that far, when force came that far, and when nobody says so
        files.replace(points, "0\n0\n");
        files.replace(DIRECTORY.resolve(DiskDirectory.CLEANER_POINTS), "0\n1\nt 0 " + third + "\n");
        long endIfCleaned = fixture.restart().log(config).logEndOffset();
        fixture.abandon();
        files.deleteIfExists(DIRECTORY.resolve(DiskDirectory.CLEANER_POINTS));
        files.replace(points, "0\n1\nt 0 " + third + "\n");
        long endIfForced = fixture.restart().log(config).logEndOffset();
        fixture.abandon();
        files.replace(points, "0\n0\n");
        long endOtherwise = fixture.restart().log(config).logEndOffset();

        // Then
        assertThat(endIfCleaned).isEqualTo(40);
        assertThat(endIfForced).isEqualTo(40);
        assertThat(endOtherwise).isEqualTo(second);
    }

    /** Takes the second of several segments away, as a power loss may; returns the offset that it began at. */
    private long loseTheSecondSegment() throws IOException {
        List<Path> logs = files.list(FOLDER).stream()
                .filter(path -> path.toString().endsWith(".log"))
                .toList();
        fixture.abandon();
        files.deleteIfExists(logs.get(1));
        return LogFolder.offsetOf(String.valueOf(logs.get(1).getFileName()));
    }

    @Test
    void aGapIsALossInALogWhoseNameAnotherOneHadBefore() throws IOException {
        // Given a log that was forced and is named by the checkpoint, and deleted, and another of its name
        PartitionLog before = fixture.log(config);
        for (int i = 20; i < 50; i++) {
            before.append(idempotent(5, 0, i, "v" + i), AppendOrigin.CLIENT, 4);
        }
        before.flush();
        DiskDirectory disk = fixture.directories().disks().get(0);
        fixture.directories().checkpoint(disk);
        fixture.directories().delete(LogFixture.T0);
        PartitionLog again = fixture.log(config);
        for (int i = 0; i < 40; i++) {
            again.append(batch(TIME, "again" + i), AppendOrigin.CLIENT, 4);
        }
        // When
        long second = loseTheSecondSegment();
        // Then the point of the other one is not believed
        assertThat(fixture.restart().log(config).logEndOffset()).isEqualTo(second);
    }

    @Test
    void theStartOfALogThatWasDeletedIsNotTakenForThatOfAnotherOfItsName() {
        fixture.log(config).deleteRecordsBefore(15);
        fixture.directories().delete(LogFixture.T0);
        PartitionLog again = fixture.log(config);
        again.append(batch(TIME, "a", "b"), AppendOrigin.CLIENT, 4);

        PartitionLog afterwards = fixture.crash().log(config);

        assertThat(contents(afterwards)).containsExactly("0:a", "1:b");
    }

    @Test
    void withoutRoomForTheFirstCheckpointNoLogIsMade() throws IOException {
        // Given a start on a new directory on which no checkpoint can be written
        Path other = Path.of("/other").toAbsolutePath();
        fixture.close();
        files.setFault((operation, path) -> {
            if (path.toString().contains(DiskDirectory.RECOVERY_POINTS)) {
                throw new IOException("No space left on device");
            }
        });
        fixture = new LogFixture(files, LogFixture.settings(config, other));
        // When
        assertThatThrownBy(() -> fixture.log(config)).isInstanceOf(LogStorageException.class);
        // Then nothing was made, and is as soon as there is room
        assertThat(files.exists(other.resolve("t-0"))).isFalse();
        files.setFault((operation, path) -> {});
        PartitionLog log = fixture.log(config);
        assertThat(log.directory().online()).isTrue();
        assertThat(new String(
                        files.readAll(other.resolve(DiskDirectory.RECOVERY_POINTS)),
                        java.nio.charset.StandardCharsets.UTF_8))
                .isEqualTo("0\n0\n");
    }

    @Test
    void aTruncationWithNoRoomForItsCheckpointChangesNothing() {
        // Given
        PartitionLog log = fixture.log(config);
        files.setCapacity(files.used());

        // When
        assertThatThrownBy(() -> log.truncateTo(7)).isInstanceOf(LogStorageException.class);

        // Then
        assertThat(log.directory().online()).isTrue();
        assertWhole(afterRoom(log));
        log.truncateTo(7);
        assertThat(contents(log)).hasSize(7);
        assertThat(contents(fixture.crash().log(config))).hasSize(7);
    }

    private PartitionLog afterRoom(PartitionLog log) {
        files.setCapacity(Long.MAX_VALUE);
        return log;
    }

    @Test
    void aForeignOrBusyDirectoryIsRefused() {
        assertThatThrownBy(() -> new LogFixture(files, LogFixture.settings(config, DIRECTORY)))
                .hasMessageContaining("in use")
                .hasMessageContaining(DIRECTORY.toString());
    }

    // ---- disks that fail while the log serves

    @Test
    void aFullDiskFailsAppendsServesReadsAndRecoversWithRoom() {
        // Given
        PartitionLog log = fixture.log(config);
        files.setCapacity(files.used() + 30);

        // When
        assertThatThrownBy(() -> log.append(batch(TIME, "no room"), AppendOrigin.CLIENT, 4))
                .isInstanceOf(LogStorageException.class);

        // Then
        assertThat(log.directory().online()).isTrue();
        assertThat(log.directory().writable()).isFalse();
        assertThat(contents(log)).hasSize(20);
        // When there is as much room as is kept free, for the journal say
        log.directory().keepFree(8 << 20);
        files.setCapacity(files.used() + (8 << 20));
        // Then
        assertThatThrownBy(() -> log.append(batch(TIME, "not for you"), AppendOrigin.CLIENT, 4))
                .isInstanceOf(LogStorageException.class);
        assertThat(log.directory().writable()).isFalse();
        // When
        files.setCapacity(Long.MAX_VALUE);
        assertThat(log.directory().writable()).isTrue();
        log.directory().keepFree(0);
        assertWhole(log);
        fixture.crash();
        assertThat(contents(fixture.log(config))).hasSize(21).endsWith("20:v20");
    }

    @Test
    void aFailedForceTakesTheDirectoryOfflineAndIsNeverASuccess() {
        // Given
        PartitionLog log = fixture.log(config);
        boolean[] told = new boolean[1];
        fixture.directories().onDirectoryFailure(directory -> told[0] = true);
        log.append(batch(TIME, "a"), AppendOrigin.CLIENT, 4);
        files.setFault((operation, path) -> {
            if (operation.equals("force")) {
                throw new IOException("Input/output error");
            }
        });

        // When
        var durable = log.durable(21);
        files.setFault((operation, path) -> {});

        // Then
        assertThat(durable).isCompletedExceptionally();
        assertThat(log.durable(21)).isCompletedExceptionally();
        assertThat(log.directory().online()).isFalse();
        assertThat(told[0]).isTrue();
        assertThatThrownBy(() -> log.append(batch(TIME, "b"), AppendOrigin.CLIENT, 4))
                .isInstanceOf(LogStorageException.class);
        assertThatThrownBy(log::flush).isInstanceOf(LogStorageException.class);
    }

    @Test
    void oneFailedDirectoryLeavesTheOthersServing() throws IOException {
        // Given
        fixture.close();
        Path other = Path.of("/other").toAbsolutePath();
        fixture = new LogFixture(files, LogFixture.settings(config, DIRECTORY, other));
        PartitionLog here = fixture.log(config);
        PartitionLog there = fixture.log(new org.apache.kafka.common.TopicPartition("u", 0), config);
        assertThat(there.directory().path()).isEqualTo(other);

        // When
        files.setFault((operation, path) -> {
            if (path.startsWith(DIRECTORY) && operation.equals("write")) {
                throw new IOException("Input/output error");
            }
        });
        assertThatThrownBy(() -> here.append(batch(TIME, "a"), AppendOrigin.CLIENT, 4))
                .isInstanceOf(LogStorageException.class);

        // Then
        assertThat(here.directory().online()).isFalse();
        assertThat(there.append(batch(TIME, "a"), AppendOrigin.CLIENT, 4).baseOffset())
                .isZero();
        assertThatThrownBy(() -> here.read(0, 100, 20, true, false)).isInstanceOf(LogStorageException.class);
    }

    @Test
    void aMoveTakesEverythingToTheOtherDirectory() throws IOException {
        // Given
        fixture.close();
        Path other = Path.of("/other").toAbsolutePath();
        fixture = new LogFixture(files, LogFixture.settings(config, DIRECTORY, other));
        PartitionLog before = fixture.log(config);
        PartitionLog[] announced = new PartitionLog[1];
        fixture.directories().onMoved(log -> announced[0] = log);

        // When
        var moved = fixture.directories()
                .move(LogFixture.T0, fixture.directories().directories().get(1));

        // Then
        assertThat(moved).isCompleted();
        assertThat(announced[0]).isSameAs(moved.join());
        assertThatThrownBy(() -> before.append(batch(TIME, "late"), AppendOrigin.CLIENT, 4))
                .isInstanceOf(org.apache.kafka.common.errors.NotLeaderOrFollowerException.class);
        assertThat(files.isDirectory(FOLDER)).isFalse();
        assertWhole(moved.join());
        fixture.crash();
        PartitionLog again = fixture.log(config);
        assertThat(again.directory().path()).isEqualTo(other);
        assertThat(contents(again)).hasSize(21);
    }

    @Test
    void checkpointsAreInKafkasForm() throws IOException {
        fixture.close();

        assertThat(new String(
                        files.readAll(DIRECTORY.resolve("recovery-point-offset-checkpoint")), StandardCharsets.UTF_8))
                .isEqualTo("0\n1\nt 0 20\n");
        assertThat(new String(files.readAll(FOLDER.resolve("leader-epoch-checkpoint")), StandardCharsets.UTF_8))
                .isEqualTo("0\n1\n4 0\n");
        assertThat(new String(files.readAll(FOLDER.resolve("partition.metadata")), StandardCharsets.UTF_8))
                .isEqualTo("version: 0\ntopic_id: " + LogFixture.TOPIC_ID);
        assertThat(files.exists(DIRECTORY.resolve(".kafka_cleanshutdown"))).isTrue();
        fixture.restart();
        assertThat(files.exists(DIRECTORY.resolve(".kafka_cleanshutdown"))).isFalse();
    }

    @Test
    void anOrderlyEndLeavesTheBrokersEpochForTheNextStart() throws IOException {
        // Given
        DataDirectory directory = fixture.directories().directories().get(0);
        directory.markWith(() -> 4711);

        // When
        fixture.reopen();
        long afterAnOrderlyEnd = fixture.directories().directories().get(0).cleanShutdownEpoch();
        fixture.crash();

        // Then
        assertThat(afterAnOrderlyEnd).isEqualTo(4711);
        assertThat(fixture.directories().directories().get(0).cleanShutdownEpoch())
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{\"version\":0,\"brokerEpoch\":-1}", "{\"version\":0,\"brokerEpoch\":12", "nothing"})
    void aMarkWithoutAnEpochSaysThatTheLogsAreWholeAndNoMore(String content) throws IOException {
        fixture.close();
        files.write(DIRECTORY.resolve(".kafka_cleanshutdown"), content.getBytes(StandardCharsets.UTF_8), true);

        fixture.restart();

        assertThat(fixture.directories().directories().get(0).cleanShutdownEpoch())
                .isEqualTo(-1);
    }
}
