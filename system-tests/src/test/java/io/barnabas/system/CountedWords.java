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
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** A word count of Kafka Streams under {@code exactly_once_v2} at work, in a process of its own, with one who feeds it and one who reads. */
final class CountedWords implements AutoCloseable {
    private static final String LINES = "lines";
    private static final String COUNTS = "word-counts";
    private static final int PARTITIONS = 2;
    private static final int WORDS = 20;
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Path dir;
    private final String bootstrap;
    private final short replicas;

    /** How often each word was sent; of the feeding thread until that has ended. */
    private final Map<String, Long> expected = new HashMap<>();

    /** The counts that came out for each word, in their order. */
    private final Map<String, List<Long>> counts = new HashMap<>();

    private final Thread feeder = new Thread(this::feed, "feeder");
    private final KafkaConsumer<String, Long> reader;
    private Process process;
    private volatile boolean feeding = true;

    /** Begins to count in {@code dir}, on topics of so many replicas. */
    CountedWords(Path dir, String bootstrap, int replicas) throws Exception {
        this.dir = dir;
        this.bootstrap = bootstrap;
        this.replicas = (short) replicas;
        createTopics();
        feeder.start();
        process = launch();
        reader = reader();
    }

    /** Kills the word count, not those who feed and read it. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Starts it again. */
    void start() throws IOException {
        process = launch();
    }

    @Override
    public void close() throws InterruptedException {
        feeding = false;
        reader.close();
        kill();
        feeder.join();
    }

    private Process launch() throws IOException {
        Path classes = Path.of("target/test-classes").toAbsolutePath();
        String jars = System.getProperty("kafka.streams") + "/*:" + System.getProperty("kafka.tools") + "/*";
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        classes + ":" + jars,
                        WordCount.class.getName(),
                        bootstrap,
                        dir.resolve("state").toString(),
                        LINES,
                        COUNTS,
                        Short.toString(replicas))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
    }

    private Path log() {
        return dir.resolve("word-count.out");
    }

    private void createTopics() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(
                            new NewTopic(LINES, PARTITIONS, replicas), new NewTopic(COUNTS, PARTITIONS, replicas)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    /** Sends lines of three words until it is told to end. */
    private void feed() {
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

    private KafkaConsumer<String, Long> reader() {
        KafkaConsumer<String, Long> reader = new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
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

    /** Waits until so many more words have been counted. */
    void awaitMore(int more) {
        long until = counted() + more;
        await(() -> counted() >= until);
    }

    /** Ends the feeding; then every word has been counted once, one after the other, and nothing comes after. */
    void hasCountedEachWordOnce() throws InterruptedException {
        feeding = false;
        feeder.join();
        long all = expected.values().stream().mapToLong(Long::longValue).sum();
        await(() -> counted() >= all);
        read(Duration.ofSeconds(1));
        expected.forEach((word, count) -> assertThat(counts.get(word))
                .as(word)
                .containsExactlyElementsOf(
                        LongStream.rangeClosed(1, count).boxed().toList()));
    }

    private long counted() {
        return counts.values().stream().mapToLong(List::size).sum();
    }

    private void await(BooleanSupplier condition) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime())
                    .as(() -> counted() + " counts have come; the word count says:\n" + printed())
                    .isLessThan(until);
            read(Duration.ofMillis(200));
        }
    }

    private void read(Duration patience) {
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
