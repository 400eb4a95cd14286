package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that share no code with Kafka's own: kcat (librdkafka), kafka-python, confluent-kafka-python, kafkajs. */
class ForeignClientsTest {
    @TempDir
    static Path dir;

    static BarnabasProcess broker;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(dir.resolve("data"));
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void kcat_round_trips_with_every_codec() throws Exception {
        assumeTrue(succeeds("kcat", "-V"), "kcat is not installed");
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = "kcat-" + codec;
            Path lines = Files.write(dir.resolve(topic), lines(codec));
            run("kcat", "-b", broker.bootstrap(), "-P", "-t", topic, "-z", codec, "-l", lines.toString());
            String read = run("kcat", "-b", broker.bootstrap(), "-C", "-t", topic, "-o", "beginning", "-e", "-q");
            assertThat(read.lines()).containsExactlyElementsOf(lines(codec));
        }
    }

    @Test
    void kcat_reads_in_a_group_and_lists_metadata() throws Exception {
        assumeTrue(succeeds("kcat", "-V"), "kcat is not installed");
        Path lines = Files.write(dir.resolve("kcat-group"), lines("g"));
        run(
                "kcat",
                "-b",
                broker.bootstrap(),
                "-P",
                "-t",
                "kcat-group",
                "-X",
                "enable.idempotence=true",
                "-l",
                lines.toString());
        String read = run(
                "kcat",
                "-b",
                broker.bootstrap(),
                "-G",
                "kcat-readers",
                "-X",
                "auto.offset.reset=earliest",
                "-c",
                "100",
                "-q",
                "kcat-group");
        assertThat(read.lines()).containsExactlyInAnyOrderElementsOf(lines("g"));
        assertThat(run("kcat", "-b", broker.bootstrap(), "-L")).contains("topic \"kcat-group\"");
    }

    @Test
    void kafka_python_round_trips() throws Exception {
        assumeTrue(succeeds("/usr/bin/python3", "-c", "import kafka"), "kafka-python is not installed");
        assertThat(run("/usr/bin/python3", script("kafka_python.py"), broker.bootstrap()))
                .contains("ok 300");
    }

    @Test
    void confluent_kafka_python_round_trips() throws Exception {
        assumeTrue(
                succeeds("/usr/bin/python3", "-c", "import confluent_kafka"),
                "confluent-kafka-python is not installed");
        assertThat(run("/usr/bin/python3", script("confluent_python.py"), broker.bootstrap()))
                .contains("ok 300");
    }

    @Test
    void librdkafka_s_transactions_are_seen_alike_by_it_and_by_the_java_client() throws Exception {
        assumeTrue(
                succeeds("/usr/bin/python3", "-c", "import confluent_kafka"),
                "confluent-kafka-python is not installed");
        List<String> expected = Stream.concat(
                        Stream.of("first", "second")
                                .flatMap(word -> IntStream.range(0, 10).mapToObj(i -> "commit-" + word + "-" + i)),
                        Stream.of("of the second"))
                .sorted()
                .toList();
        String printed = run("/usr/bin/python3", script("confluent_transactions.py"), broker.bootstrap());
        assertThat(printed.lines()).contains("ok " + String.join(",", expected));
        assertThat(readCommitted("librdkafka-out", 2)).containsExactlyElementsOf(expected);
    }

    /** All values of a topic, sorted. */
    private static List<String> readCommitted(String topic, int partitionCount) {
        List<TopicPartition> partitions = IntStream.range(0, partitionCount)
                .mapToObj(i -> new TopicPartition(topic, i))
                .toList();
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<byte[], String> consumer = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "isolation.level", "read_committed",
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"))) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200)).forEach(found -> values.add(found.value()));
            }
        }
        values.sort(null);
        return values;
    }

    @Test
    void kafkajs_round_trips() throws Exception {
        assumeTrue(succeeds("npm", "--version"), "npm is not installed");
        run(
                "npm",
                "install",
                "--prefix",
                dir.resolve("js").toString(),
                "--no-audit",
                "--no-fund",
                "--silent",
                "kafkajs@2.2.4");
        Path copy = Files.copy(Path.of(script("kafkajs.cjs")), dir.resolve("js/kafkajs.cjs"));
        assertThat(run("node", copy.toString(), broker.bootstrap())).contains("ok 300");
    }

    private static List<String> lines(String word) {
        return IntStream.range(0, 100).mapToObj(i -> word + "-" + i).collect(Collectors.toList());
    }

    private static String script(String name) {
        return Path.of("src/test/clients", name).toAbsolutePath().toString();
    }

    private static boolean succeeds(String... command) {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException | InterruptedException e) {
            return false;
        }
    }

    /** Runs a command to its end within two minutes and answers what it printed; fails with it unless the exit code is 0. */
    static String run(String... command) throws Exception {
        List<String> words = new ArrayList<>(Arrays.asList(command));
        Path out = Files.createTempFile("run", ".out");
        Process process = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        String printed = Files.readString(out);
        assertThat(ended && process.exitValue() == 0)
                .as("%s:\n%s", words, printed)
                .isTrue();
        return printed;
    }
}
