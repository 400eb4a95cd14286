package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.metadata.Controller.Decision;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a start makes of a journal whose files were damaged. */
@NullUnmarked
class JournalDamageTest {
    private static final int TOPICS = 20;

    @TempDir
    Path directory;

    private final ExecutorService executor =
            new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private Path copy;
    private MetadataNode node;

    private MetadataImage open(Path where) throws Exception {
        node = MetadataNode.open(
                MetadataNodeSettings.oneNode(where, 1, null), Uuid::randomUuid, executor, Throwable::printStackTrace);
        return node.ready().get(30, TimeUnit.SECONDS);
    }

    /** A journal of twenty topics as a killed process leaves it: with no snapshot, its last segment open. */
    @BeforeEach
    void copyOfARunningJournal() throws Exception {
        Path running = directory.resolve("running");
        copy = directory.resolve("copy");
        open(running);
        for (int i = 0; i < TOPICS; i++) {
            String name = "topic-" + i;
            node.controller()
                    .submit("CreateTopics", image -> Decision.of(TestRecords.topic(name, 3), name))
                    .join();
        }
        try (var files = Files.walk(running)) {
            for (Path file : files.toList()) {
                if (!file.getFileName().toString().endsWith("lock")) {
                    Files.copy(file, copy.resolve(running.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
        node.close();
    }

    @AfterEach
    void stop() {
        node.close();
        executor.shutdown();
    }

    private Path openSegment() throws IOException {
        try (var files = Files.walk(copy)) {
            return files.filter(f -> f.getFileName().toString().startsWith("log_inprogress"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private void assertTopics(int count) throws Exception {
        assertThat(open(copy).topics()).hasSize(count);
        // And it goes on
        node.controller()
                .submit("CreateTopics", image -> Decision.of(TestRecords.topic("more", 1), 0))
                .join();
        node.close();
        assertThat(open(copy).topics()).hasSize(count + 1);
    }

    @Test
    void startsFromAJournalThatWasNotClosed() throws Exception {
        assertTopics(TOPICS);
    }

    @Test
    void leavesOutALastEntryThatIsCut() throws Exception {
        // Given
        try (RandomAccessFile file = new RandomAccessFile(openSegment().toFile(), "rw")) {
            file.setLength(file.length() - 10);
        }
        // Then
        assertTopics(TOPICS - 1);
    }

    @Test
    void leavesOutZerosAfterTheLastEntry() throws Exception {
        // Given
        Files.write(openSegment(), new byte[5_000], StandardOpenOption.APPEND);
        // Then
        assertTopics(TOPICS);
    }

    @Test
    void leavesOutALastEntryThatWasWrittenInPart() throws Exception {
        // Given
        try (RandomAccessFile file = new RandomAccessFile(openSegment().toFile(), "rw")) {
            long length = file.length();
            file.seek(length - 40);
            file.write(new byte[40]);
        }
        // Then
        assertTopics(TOPICS - 1);
    }

    @Test
    void refusesToStartWhenAnEntryInTheMiddleIsDamaged() throws Exception {
        // Given
        byte[] bytes = Files.readAllBytes(openSegment());
        Random random = new Random(1);
        for (int i = 0; i < 20; i++) {
            bytes[bytes.length / 3 + random.nextInt(50)] ^= 0x55;
        }
        Files.write(openSegment(), bytes);
        // Then
        assertThatThrownBy(() -> open(copy)).isInstanceOf(IOException.class);
    }

    private Path file(String pattern) throws IOException {
        try (var files = Files.walk(copy)) {
            return files.filter(f -> f.getFileName().toString().matches(pattern))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void refusesToStartWhenItIsNotKnownForWhomItVoted() throws Exception {
        // Given
        Files.write(file("raft-meta"), new byte[0]);
        // Then
        assertThatThrownBy(() -> open(copy)).isInstanceOf(IOException.class).hasMessageContaining("journal in");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void refusesToStartFromASnapshotThatIsDamaged(boolean cut) throws Exception {
        // Given
        open(copy);
        node.close();
        Path snapshot = file("snapshot\\.\\d+_\\d+");
        byte[] bytes = Files.readAllBytes(snapshot);
        bytes[bytes.length / 2] ^= 0x10;
        Files.write(snapshot, cut ? Arrays.copyOf(bytes, bytes.length / 2) : bytes);
        // Then
        assertThatThrownBy(() -> open(copy)).isInstanceOf(IOException.class).hasMessageContaining("journal in");
    }
}
