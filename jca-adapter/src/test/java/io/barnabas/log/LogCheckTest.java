package io.barnabas.log;

import static io.barnabas.log.LogFixture.contents;
import static io.barnabas.log.LogFixture.idempotent;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What lies damaged in a log that was closed in order is found after the start, and nothing else is. */
class LogCheckTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final Path FOLDER = DIRECTORY.resolve("t-0");

    private final MemoryFileStore files = new MemoryFileStore();
    private final TopicSettings topic = new TopicSettings();
    private final List<String> damage = new ArrayList<>();
    private LogConfig config;
    private LogFixture fixture;

    @BeforeEach
    void twentyRecordsInSeveralSegments() {
        topic.segmentBytes = 400;
        topic.indexIntervalBytes = 100;
        config = topic.build();
        fixture = new LogFixture(files, LogFixture.settings(config, DIRECTORY));
        PartitionLog log = fixture.log(config);
        for (int i = 0; i < 20; i++) {
            log.append(idempotent(5, 0, i, "v" + i), AppendOrigin.CLIENT, 4);
        }
        log.onHighWatermark(20);
    }

    private Path segment(int index) {
        try {
            return files.list(FOLDER).stream()
                    .filter(path -> path.toString().endsWith(".log"))
                    .sorted()
                    .toList()
                    .get(index);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void damage(Path file, UnaryOperator<byte[]> change) {
        try {
            files.write(file, change.apply(files.readAll(file)), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static UnaryOperator<byte[]> flipped(int at) {
        return bytes -> {
            bytes[at] ^= 1;
            return bytes;
        };
    }

    private PartitionLog restart() {
        fixture.restart();
        fixture.directories().onDamage((log, what) -> damage.add(log.topicPartition() + ": " + what));
        return fixture.log(config);
    }

    private void check() {
        fixture.ticker.advance(LogCheck.DELAY_MS);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 6, 7, 8, 11, 13, 15, 16, 17, 20, 22, 30, 57, 61, 70})
    void aBitThatIsAnotherIsFoundWhereverItIsInAClosedSegment(int at) {
        // Given
        fixture.close();
        damage(segment(0), flipped(at));

        // When
        PartitionLog log = restart();
        check();

        // Then
        assertThat(damage).singleElement().asString().contains("t-0: ", "00000000000000000000.log");
        assertThat(log.directory().online()).isTrue();
    }

    @Test
    void aBitThatIsAnotherIsFoundInTheNewestSegment() {
        fixture.close();
        damage(segment(-1 + segments()), flipped(BatchHeader.SIZE + 5));

        restart();
        check();

        assertThat(damage).hasSize(1);
    }

    private int segments() {
        try {
            return (int) files.list(FOLDER).stream()
                    .filter(path -> path.toString().endsWith(".log"))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anEndThatIsMissingIsFoundAtABatchesEndToo(boolean compacted) {
        fixture.close();
        topic.compact = compacted;
        config = topic.build();
        damage(segment(1), bytes -> {
            int batch = BatchHeader.sizeInBytes(java.nio.ByteBuffer.wrap(bytes), 0);
            return Arrays.copyOf(bytes, bytes.length - batch);
        });

        restart();
        check();

        assertThat(damage).singleElement().asString().contains("ends at");
    }

    @Test
    void anEndThatIsMissingOfTheNewestSegmentMakesTheOrderlyEndNone() {
        // Given
        fixture.directories().directories().get(0).markWith(() -> 17);
        fixture.close();
        fixture.restart();
        assertThat(fixture.directories().directories().get(0).cleanShutdownEpoch())
                .isEqualTo(17);
        fixture.directories().directories().get(0).markWith(() -> 18);
        fixture.close();
        damage(segment(segments() - 1), bytes -> {
            int batch = BatchHeader.sizeInBytes(java.nio.ByteBuffer.wrap(bytes), 0);
            return Arrays.copyOf(bytes, bytes.length - batch);
        });

        // When
        PartitionLog log = restart();

        // Then
        assertThat(log.logEndOffset()).isLessThan(20);
        assertThat(fixture.directories().directories().get(0).cleanShutdownEpoch())
                .isEqualTo(-1);
    }

    @Test
    void damageThatIsMetWhileALogIsLoadedCostsNeitherTheLogNorTheDirectory() throws IOException {
        // Given records that are told to the producers again, since their snapshots are gone
        fixture.close();
        for (Path file : files.list(FOLDER)) {
            if (file.toString().endsWith(".snapshot")) {
                files.deleteIfExists(file);
            }
        }
        damage(segment(1), bytes -> {
            bytes[11] = 12; // less than a header
            return bytes;
        });

        // When
        PartitionLog log = restart();

        // Then
        assertThat(damage).singleElement().asString().contains("impossible batch length");
        assertThat(log.directory().online()).isTrue();
        assertThat(log.logEndOffset()).isEqualTo(20);
        assertThat(log.append(idempotent(5, 0, 20, "v20"), AppendOrigin.CLIENT, 4)
                        .baseOffset())
                .isEqualTo(20);
    }

    @Test
    void damageThatATruncationMeetsCostsTheLogsOwnOnly() {
        // Given
        fixture.close();
        damage(segment(1), bytes -> {
            bytes[11] = 12;
            return bytes;
        });
        PartitionLog log = restart();

        // When
        try {
            log.truncateTo(8);
        } catch (LogStorageException e) {
            assertThat(e).hasMessageContaining("damage");
        }

        // Then
        assertThat(damage).hasSize(1);
        assertThat(log.directory().online()).isTrue();
    }

    @Test
    void whatRecoveryHasReadIsNotReadAgainAndWhatIsWholeIsNoDamage() {
        // Given
        fixture.crash();
        fixture.directories().onDamage((log, what) -> damage.add(what));
        damage(segment(0), flipped(BatchHeader.SIZE + 3)); // after recovery has read it

        // When
        check();

        // Then
        assertThat(damage).isEmpty();
        // When
        damage(segment(0), flipped(BatchHeader.SIZE + 3));
        fixture.reopen();
        fixture.directories().onDamage((log, what) -> damage.add(what));
        check();

        // Then
        assertThat(damage).isEmpty();
        assertThat(contents(fixture.log(config))).hasSize(20);
    }

    @Test
    void whatIsAppendedTruncatedOrDeletedSinceIsNoDamage() {
        // Given
        fixture.close();
        PartitionLog log = restart();

        // When
        log.onHighWatermark(3);
        log.deleteRecordsBefore(3);
        log.truncateTo(11);
        for (int i = 11; i < 30; i++) {
            log.append(LogFixture.batch(1_700_000_000_000L, "another " + i), AppendOrigin.CLIENT, 5);
        }
        check();

        // Then
        assertThat(damage).isEmpty();
    }
}
