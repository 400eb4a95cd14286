package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder that a Kafka 4.4.0 broker left after an orderly stop: three segments, five codecs, idempotent and transactional batches. */
class KafkaFolderTest {
    private static final TopicPartition PARTITION = new TopicPartition("made-by-kafka", 0);
    private static final long FIRST_TIMESTAMP = 1_700_000_000_000L;

    @TempDir
    Path directory;

    @BeforeEach
    void copyFolder() throws IOException {
        Path source = Path.of("src/test/resources/kafka-4.4");
        try (Stream<Path> files = Files.walk(source.resolve("made-by-kafka-0"))) {
            for (Path file : files.toList()) {
                Path target = directory.resolve(source.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
        write("recovery-point-offset-checkpoint", "0\n1\nmade-by-kafka 0 69\n");
        write("log-start-offset-checkpoint", "0\n0\n");
        write(".kafka_cleanshutdown", "{\"version\":0,\"brokerEpoch\":12}");
    }

    private void write(String name, String content) throws IOException {
        Files.write(directory.resolve(name), content.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> expected() {
        // 60 records of idempotent producers, then a committed, an aborted and a committed transaction with a marker
        // each
        return Stream.concat(
                        IntStream.range(0, 60).mapToObj(i -> i + ":value" + i),
                        Stream.of("60:value60", "61:value61", "63:value62", "64:value63", "66:value64", "67:value65"))
                .toList();
    }

    @Test
    void isServedAfterAnOrderlyStop() throws IOException {
        try (LogFixture fixture = new LogFixture(new NioFileStore(), directory)) {
            // When
            PartitionLog log = fixture.directories().log(PARTITION).orElseThrow();

            // Then
            assertThat(log.logEndOffset()).isEqualTo(69);
            assertThat(log.segmentCount()).isEqualTo(3);
            assertThat(log.recoveryPoint()).isEqualTo(69);
            assertThat(log.latestEpoch()).hasValue(0);
            assertThat(log.topicId()).hasToString("S3kUdXzpRLi5ZJLOEv7XwA");
            assertThat(LogFixture.contents(log)).isEqualTo(expected());
            assertThat(log.firstUnstableOffset()).isEqualTo(69);
            assertThat(log.read(62, 1 << 20, 69, true, true).aborted())
                    .extracting(ReadResult.AbortedTransaction::firstOffset)
                    .containsExactly(63L);
            assertThat(log.offsetForTimestamp(FIRST_TIMESTAMP + 100, 69))
                    .hasValueSatisfying(found -> assertThat(found.offset()).isEqualTo(10));
            assertThat(log.activeProducers()).hasSize(6);
        }
    }

    @Test
    void isServedAfterACrashAndRebuildsTheSameFiles() throws IOException {
        // Given
        List<String> before = derivedFiles();
        Files.delete(directory.resolve("made-by-kafka-0/00000000000000000069.snapshot"));
        Files.delete(directory.resolve(".kafka_cleanshutdown"));
        Files.delete(directory.resolve("recovery-point-offset-checkpoint"));

        // When
        TopicSettings topic = new TopicSettings();
        topic.indexIntervalBytes = 64; // as the topic was made
        try (LogFixture fixture = new LogFixture(new NioFileStore(), LogFixture.settings(topic.build(), directory))) {
            PartitionLog log = fixture.directories().log(PARTITION).orElseThrow();

            // Then
            assertThat(LogFixture.contents(log)).isEqualTo(expected());
            assertThat(log.activeProducers()).hasSize(6);
        }
        assertThat(derivedFiles()).isEqualTo(before);
    }

    private List<String> derivedFiles() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("made-by-kafka-0"))) {
            return files.filter(file ->
                            file.toString().endsWith("index") || file.toString().endsWith("69.snapshot"))
                    .sorted()
                    .map(file -> {
                        try {
                            return file.getFileName() + " "
                                    + java.util.HexFormat.of().formatHex(Files.readAllBytes(file));
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    })
                    .toList();
        }
    }
}
