package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL at random moments under load. Afterwards every acknowledged record is read back once, in order, at its offset; committed
 * offsets have not gone back; topics and configurations are there.
 */
class CrashTest {
    private static final int KILLS = Integer.getInteger("barnabas.kills", 20);
    private static final int PARTITIONS = 3;
    private static final String TOPIC = "crash";

    @Test
    void kill_9_under_load_loses_nothing_that_was_acknowledged(@TempDir Path dir) throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("CrashTest: seed " + seed);
        Random random = new Random(seed);
        try (BarnabasProcess broker = BarnabasProcess.start(dir.resolve("data"))) {
            createTopic(broker, TOPIC, PARTITIONS);
            try (AcknowledgedLoad load = new AcknowledgedLoad(broker.bootstrap(), TOPIC, PARTITIONS);
                    CommittingConsumer consumer = new CommittingConsumer(broker.bootstrap(), TOPIC)) {
                Map<String, String> configured = new TreeMap<>();
                for (int kill = 1; kill <= KILLS; kill++) {
                    // Given load, a topic and a setting made under it
                    load.awaitMore(200);
                    configured.put("made-" + kill, Integer.toString(1_000_000 + random.nextInt(1_000_000)));
                    createTopic(broker, "made-" + kill, 1);
                    setRetention(broker, "made-" + kill, configured.get("made-" + kill));
                    load.awaitMore(random.nextInt(3_000));
                    // When the process is killed and starts again
                    broker.kill();
                    broker.start();
                    // Then what was said stays said
                    assertThat(retentions(broker)).containsAllEntriesOf(configured);
                    assertCommittedNotBack(broker, consumer);
                    System.out.printf("CrashTest: kill %d of %d, %d acknowledged%n", kill, KILLS, load.acknowledged());
                }
                load.stop();
                load.assertReadBack();
                consumer.stop();
                assertCommittedNotBack(broker, consumer);
            }
        }
    }

    private static void createTopic(BarnabasProcess broker, String topic, int partitions) throws Exception {
        try (Admin admin = admin(broker)) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private static void setRetention(BarnabasProcess broker, String topic, String ms) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", ms), AlterConfigOp.OpType.SET);
        try (Admin admin = admin(broker)) {
            admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get(30, TimeUnit.SECONDS);
        }
    }

    private static Map<String, String> retentions(BarnabasProcess broker) throws Exception {
        Map<String, String> found = new TreeMap<>();
        try (Admin admin = admin(broker)) {
            List<ConfigResource> topics = admin.listTopics().names().get(30, TimeUnit.SECONDS).stream()
                    .map(name -> new ConfigResource(ConfigResource.Type.TOPIC, name))
                    .toList();
            admin.describeConfigs(topics)
                    .all()
                    .get(30, TimeUnit.SECONDS)
                    .forEach((topic, config) ->
                            found.put(topic.name(), config.get("retention.ms").value()));
            Map<String, TopicDescription> described =
                    admin.describeTopics(List.of(TOPIC)).allTopicNames().get(30, TimeUnit.SECONDS);
            assertThat(described.get(TOPIC).partitions()).hasSize(PARTITIONS);
        }
        return found;
    }

    private static void assertCommittedNotBack(BarnabasProcess broker, CommittingConsumer consumer) throws Exception {
        Map<TopicPartition, Long> acknowledged = consumer.acknowledgedCommits();
        try (Admin admin = admin(broker)) {
            Map<TopicPartition, OffsetAndMetadata> stored = admin.listConsumerGroupOffsets(CommittingConsumer.GROUP)
                    .partitionsToOffsetAndMetadata()
                    .get(60, TimeUnit.SECONDS);
            acknowledged.forEach(
                    (partition, offset) -> assertThat(stored.get(partition).offset())
                            .as("committed offset of %s", partition)
                            .isGreaterThanOrEqualTo(offset));
        }
    }

    private static Admin admin(BarnabasProcess broker) {
        return Admin.create(Map.of("bootstrap.servers", broker.bootstrap(), "default.api.timeout.ms", 60_000));
    }

    /** Reads in a group and commits; remembers what commits were acknowledged. */
    private static final class CommittingConsumer implements AutoCloseable {
        static final String GROUP = "crash-readers";
        private final Map<TopicPartition, Long> acknowledged = new java.util.concurrent.ConcurrentHashMap<>();
        private final Thread thread;
        private volatile boolean running = true;

        CommittingConsumer(String bootstrap, String topic) {
            thread = new Thread(() -> run(bootstrap, topic), "committing-consumer");
            thread.start();
        }

        private void run(String bootstrap, String topic) {
            Map<String, Object> settings = Map.of(
                    "bootstrap.servers", bootstrap,
                    "group.id", GROUP,
                    "auto.offset.reset", "earliest",
                    "enable.auto.commit", "false",
                    "session.timeout.ms", "45000",
                    "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
                    "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
            try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
                consumer.subscribe(List.of(topic));
                while (running) {
                    consumer.poll(Duration.ofMillis(200));
                    Map<TopicPartition, OffsetAndMetadata> offsets = new java.util.HashMap<>();
                    for (TopicPartition partition : consumer.assignment()) {
                        offsets.put(partition, new OffsetAndMetadata(consumer.position(partition)));
                    }
                    commit(consumer, offsets);
                }
            }
        }

        private void commit(KafkaConsumer<String, String> consumer, Map<TopicPartition, OffsetAndMetadata> offsets) {
            try {
                consumer.commitSync(offsets, Duration.ofSeconds(2));
                offsets.forEach((partition, offset) -> acknowledged.merge(partition, offset.offset(), Math::max));
            } catch (org.apache.kafka.common.KafkaException unknownOutcome) {
                // a commit that may or may not be stored promises nothing
            }
        }

        Map<TopicPartition, Long> acknowledgedCommits() {
            return Map.copyOf(acknowledged);
        }

        void stop() {
            running = false;
            Uninterruptibly.join(thread);
        }

        @Override
        public void close() {
            stop();
        }
    }
}
