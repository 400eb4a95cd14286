package io.barnabas.log;

import static io.barnabas.log.LogFixture.contents;
import static io.barnabas.log.LogFixture.idempotent;
import static io.barnabas.log.ProducedBatch.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk without room, whatever the log is about: who needs room gets an error, all else goes on, and no restart is needed. */
class FullDiskTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long P = 5;

    private final MemoryFileStore files = new MemoryFileStore();
    private final LogFixture fixture =
            new LogFixture(files, LogFixture.cleaning(LogFixture.settings(LogConfig.defaults(), DIRECTORY)));
    private final TopicSettings topic = new TopicSettings();

    @AfterEach
    void close() {
        files.setCapacity(Long.MAX_VALUE);
        fixture.close();
    }

    private SegmentedLog log() {
        return (SegmentedLog) fixture.log(topic.build());
    }

    private AppendResult append(PartitionLog log, int sequence) {
        return log.append(idempotent(P, 0, sequence, "v" + sequence), AppendOrigin.CLIENT, 0);
    }

    private static List<String> values(int to) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < to; i++) {
            all.add(i + ":v" + i);
        }
        return all;
    }

    /** Appends until there is no room, gives room and goes on; with every amount of room there may be at first. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whateverRoomIsLeftAnAppendIsWholeOrNotThereAndTheNextOneFollows(boolean crash) {
        topic.segmentBytes = 400; // rolls: indexes, snapshots and new files need room as well
        topic.indexIntervalBytes = 50;
        topic.durability = LogConfig.Durability.FSYNC;
        SegmentedLog log = log();
        int written = 0;
        int refused = 0;
        for (int room = 0; room < 700; room += 3) {
            files.setCapacity(files.used() + room);
            boolean full = false;
            while (!full) {
                try {
                    append(log, written);
                    written++;
                } catch (LogStorageException e) {
                    full = true;
                    refused++;
                }
            }
            assertThat(log.directory().online()).as("room %d", room).isTrue();
            assertThat(log.logEndOffset()).as("room %d", room).isEqualTo(written);
            files.setCapacity(Long.MAX_VALUE);
            assertThat(append(log, written++).duplicate()).as("room %d", room).isFalse();
        }
        assertThat(refused).isGreaterThan(200);
        assertThat(contents(log)).isEqualTo(values(written));
        PartitionLog again = (crash ? fixture.crash() : fixture.reopen()).log(topic.build());
        assertThat(contents(again)).isEqualTo(values(written));
        assertThat(append(again, written).baseOffset()).isEqualTo(written);
    }

    @Test
    void aForceThatHasNoFileLeftToOpenLeavesTheDirectoryOnlineAndTheNextOneMakesUpForIt() {
        // Given
        topic.durability = LogConfig.Durability.FSYNC;
        SegmentedLog log = log();
        append(log, 0);
        // When
        files.setFault((operation, path) -> {
            if (operation.equals("sync")) {
                throw new IOException(path + ": Too many open files");
            }
        });
        CompletableFuture<Void> waiting = log.durable(1);
        // Then who waits is told, and the directory goes out of service for the time being
        assertThat(waiting).isCompletedExceptionally();
        assertThat(log.directory().online()).isTrue();
        assertThat(log.recoveryPoint()).isZero();
        // When there are files again
        List<Path> forced = new ArrayList<>();
        files.setFault((operation, path) -> {
            if (operation.equals("sync")) {
                forced.add(path);
            }
        });
        CompletableFuture<Void> later = log.durable(1);
        // Then the entries of folder and files are forced that were not
        assertThat(later).isCompleted();
        assertThat(log.recoveryPoint()).isOne();
        assertThat(forced).contains(DIRECTORY).hasSize(2);
        assertThat(log.directory().writable()).isTrue();
    }

    @Test
    void aLogThatCannotBeMadeForWantOfRoomIsMadeLater() {
        files.setCapacity(files.used());
        assertThatThrownBy(this::log).isInstanceOf(LogStorageException.class);
        files.setCapacity(Long.MAX_VALUE);
        assertThat(append(log(), 0).baseOffset()).isZero();
    }

    @Test
    void recordsOfALogThatCouldNotBeDeletedForWantOfRoomDoNotComeBackInTheNextLogOfItsName() throws IOException {
        // Given
        append(log(), 0);
        files.setFault((operation, path) -> {
            if (operation.equals("rename")) {
                throw new IOException("No space left on device");
            }
        });
        assertThatThrownBy(() -> fixture.directories().delete(LogFixture.T0)).isInstanceOf(LogStorageException.class);
        files.setFault((operation, path) -> {});

        // When
        PartitionLog next = fixture.directories().openOrCreate(LogFixture.T0, new Uuid(8, 8), topic.build(), null);

        // Then
        assertThat(next.logEndOffset()).isZero();
        assertThat(append(next, 0).duplicate()).isFalse();
        assertThat(contents(next)).containsExactly("0:v0");
        assertThat(files.list(DIRECTORY)).anyMatch(path -> path.toString().endsWith(LogFolder.FOLDER_STRAY));
        PartitionLog again = fixture.crash().directories().log(LogFixture.T0).orElseThrow();
        assertThat(again.topicId()).isEqualTo(next.topicId());
        assertThat(contents(again)).containsExactly("0:v0");
    }

    @Test
    void retentionMakesRoomOnAFullDisk() throws IOException {
        topic.segmentBytes = 100;
        topic.retentionBytes = 0;
        SegmentedLog log = log();
        for (int i = 0; i < 10; i++) {
            append(log, i);
        }
        log.onHighWatermark(10);
        files.setCapacity(files.used());
        assertThatThrownBy(() -> append(log, 10)).isInstanceOf(LogStorageException.class);

        Retention.apply(log, fixture.clock.wallMillis());
        fixture.ticker.advance(log.config().fileDeleteDelayMs());

        assertThat(append(log, 10).baseOffset()).isEqualTo(10);
        assertThat(log.directory().online()).isTrue();
    }

    @Test
    void recordsThatCannotBeDeletedForWantOfRoomAreDeletedLater() {
        topic.segmentBytes = 100;
        SegmentedLog log = log();
        for (int i = 0; i < 10; i++) {
            append(log, i);
        }
        log.onHighWatermark(10);
        files.setCapacity(files.used());
        assertThatThrownBy(() -> log.deleteRecordsBefore(5)).isInstanceOf(LogStorageException.class);
        files.setCapacity(Long.MAX_VALUE);

        assertThat(log.deleteRecordsBefore(5)).isEqualTo(5);

        assertThat(fixture.crash().log(topic.build()).logStartOffset()).isEqualTo(5);
    }

    @Test
    void aCompactionWithoutRoomLeavesTheLogAsItIsAndIsDoneLater() throws IOException {
        // Given
        topic.compact = true;
        topic.delete = false;
        topic.minCleanableDirtyRatio = 0.01;
        SegmentedLog log = log();
        for (int i = 0; i < 10; i++) {
            SimpleRecord record = new SimpleRecord(1_700_000_000_000L, bytes("k" + i % 3), bytes("v" + i));
            log.append(MemoryRecords.withRecords(Compression.NONE, record), AppendOrigin.CLIENT, 0);
        }
        log.roll();
        log.onHighWatermark(10);
        log.flush();
        fixture.directories().checkpoint(log.disk());
        List<String> before = contents(log);
        // When
        for (int room = 0; room < 200; room += 10) {
            files.setCapacity(files.used() + room);
            fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
            assertThat(contents(log)).as("room %d", room).isEqualTo(before);
        }
        // Then
        assertThat(log.directory().online()).isTrue();
        assertThat(fixture.directories().uncleanable()).isEmpty();
        assertThat(files.list(DIRECTORY.resolve("t-0")))
                .noneMatch(path -> path.toString().endsWith(LogFolder.CLEANED));
        files.setCapacity(Long.MAX_VALUE);
        fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
        assertThat(contents(log)).hasSize(3);
    }
}
