package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka Streams' word count under {@code exactly_once_v2}, in a process of its own, while that is killed and the broker is too. */
class StreamsTest {
    private static final String LINES = "lines";
    private static final String COUNTS = "word-counts";
    private static final int PARTITIONS = 2;
    private static final int WORDS = 20;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    @TempDir
    Path dir;

    /** How often each word was sent; of the feeding thread until that has ended. */
    private final Map<String, Long> expected = new HashMap<>();

    /** The counts that came out for each word, in their order. */
    private final Map<String, List<Long>> counts = new HashMap<>();

    private volatile boolean feeding = true;

    @Test
    void killed_with_its_broker_and_started_again_the_word_count_counts_each_word_once() throws Exception {
        // Given a word count at work
        try (BarnabasProcess broker = BarnabasProcess.start(dir.resolve("data"))) {
            createTopics(broker);
            Thread feeder = new Thread(() -> feed(broker.bootstrap()), "feeder");
            feeder.start();
            Process wordCount = wordCount(broker);
            try (KafkaConsumer<String, Long> reader = reader(broker)) {
                awaitMore(reader, 300);
                // When it is killed alone, and then together with the broker
                wordCount.destroyForcibly().waitFor();
                wordCount = wordCount(broker);
                awaitMore(reader, 300);
                broker.kill();
                wordCount.destroyForcibly().waitFor();
                wordCount = wordCount(broker);
                broker.start();
                awaitMore(reader, 300);
                feeding = false;
                feeder.join();
                // Then every word has been counted once, one after the other
                awaitAll(reader);
                expected.forEach((word, count) -> assertThat(counts.get(word))
                        .as(word)
                        .containsExactlyElementsOf(
                                LongStream.rangeClosed(1, count).boxed().toList()));
            } finally {
                feeding = false;
                wordCount.destroyForcibly().waitFor();
                feeder.join();
            }
        }
    }

    private Process wordCount(BarnabasProcess broker) throws IOException {
        Path classes = Path.of("target/test-classes").toAbsolutePath();
        String jars = System.getProperty("kafka.streams") + "/*:" + System.getProperty("kafka.tools") + "/*";
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        classes + ":" + jars,
                        WordCount.class.getName(),
                        broker.bootstrap(),
                        dir.resolve("state").toString(),
                        LINES,
                        COUNTS)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
    }

    private Path log() {
        return dir.resolve("word-count.out");
    }

    private static void createTopics(BarnabasProcess broker) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
            admin.createTopics(List.of(
                            new NewTopic(LINES, PARTITIONS, (short) 1), new NewTopic(COUNTS, PARTITIONS, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    /** Sends lines of three words until it is told to end. */
    private void feed(String bootstrap) {
        Random random = new Random(1);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of(
                "bootstrap.servers",
                bootstrap,
                "max.block.ms",
                120_000,
                "request.timeout.ms",
                5_000,
                "key.serializer",
                "org.apache.kafka.common.serialization.StringSerializer",
                "value.serializer",
                "org.apache.kafka.common.serialization.StringSerializer"))) {
            while (feeding) {
                StringBuilder line = new StringBuilder();
                for (int i = 0; i < 3; i++) {
                    String word = "word-" + random.nextInt(WORDS);
                    expected.merge(word, 1L, Long::sum);
                    line.append(word).append(' ');
                }
                producer.send(new ProducerRecord<>(LINES, random.nextInt(PARTITIONS), null, line.toString()));
                LockSupport.parkNanos(5_000_000);
            }
        }
    }

    private static KafkaConsumer<String, Long> reader(BarnabasProcess broker) {
        KafkaConsumer<String, Long> reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest",
                "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.LongDeserializer"));
        List<TopicPartition> partitions = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            partitions.add(new TopicPartition(COUNTS, i));
        }
        reader.assign(partitions);
        return reader;
    }

    private void awaitMore(KafkaConsumer<String, Long> reader, int more) {
        long until = counted() + more;
        await(reader, () -> counted() >= until);
    }

    private void awaitAll(KafkaConsumer<String, Long> reader) {
        long all = expected.values().stream().mapToLong(Long::longValue).sum();
        await(reader, () -> counted() >= all);
        // and nothing comes after
        read(reader, Duration.ofSeconds(1));
    }

    private long counted() {
        return counts.values().stream().mapToLong(List::size).sum();
    }

    private void await(KafkaConsumer<String, Long> reader, java.util.function.BooleanSupplier condition) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime())
                    .as(() -> counted() + " counts have come; the word count says:\n" + printed())
                    .isLessThan(until);
            read(reader, Duration.ofMillis(200));
        }
    }

    private void read(KafkaConsumer<String, Long> reader, Duration patience) {
        reader.poll(patience).forEach(count -> counts.computeIfAbsent(count.key(), word -> new ArrayList<>())
                .add(count.value()));
    }

    private String printed() {
        try {
            return Files.readString(log());
        } catch (IOException e) {
            return e.toString();
        }
    }
}
