package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL at random moments under load, now and then in the start itself, where it recovers. Afterwards every acknowledged record is
 * read back once, in order, at its offset; committed offsets have not gone back; topics and configurations are there.
 */
class CrashTest {
    private static final int KILLS = Integer.getInteger("barnabas.kills", 20);

    /** Every so many kills, the start that follows is killed too. */
    private static final int IN_THE_START = 5;

    /** The kill that falls while every acknowledged write is forced to the disk. */
    private static final int FORCED = (KILLS + 1) / 2;

    private static final ConfigResource CLUSTER = new ConfigResource(ConfigResource.Type.BROKER, "");
    private static final String DURABILITY = "barnabas.durability";
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
                int killedInTheStart = 0;
                for (int kill = 1; kill <= KILLS; kill++) {
                    // Given load, commits, a topic and a setting made under it
                    if (kill == FORCED) {
                        set(broker, CLUSTER, DURABILITY, "fsync");
                    }
                    load.awaitMore(200);
                    consumer.awaitCommit();
                    configured.put("made-" + kill, Integer.toString(1_000_000 + random.nextInt(1_000_000)));
                    createTopic(broker, "made-" + kill, 1);
                    ConfigResource made = new ConfigResource(ConfigResource.Type.TOPIC, "made-" + kill);
                    set(broker, made, "retention.ms", configured.get(made.name()));
                    load.awaitMore(random.nextInt(3_000));
                    // When the process is killed and starts again
                    broker.kill();
                    if (kill % IN_THE_START == 0 && killedInTheStart(broker, random)) {
                        killedInTheStart++;
                    }
                    broker.start();
                    // Then what was said stays said
                    assertThat(retentions(broker)).containsAllEntriesOf(configured);
                    if (kill == FORCED) {
                        assertThat(durability(broker)).isEqualTo("fsync");
                        set(broker, CLUSTER, DURABILITY, "os");
                    }
                    assertCommittedNotBack(broker, consumer);
                    System.out.printf("CrashTest: kill %d of %d, %d acknowledged%n", kill, KILLS, load.acknowledged());
                }
                load.stop();
                load.assertReadBack();
                consumer.stop();
                assertCommittedNotBack(broker, consumer);
                assertThat(consumer.acknowledgedCommits())
                        .as("partitions with acknowledged commits")
                        .hasSize(PARTITIONS);
                assertThat(killedInTheStart)
                        .as("kills before the broker served")
                        .isGreaterThanOrEqualTo(KILLS / IN_THE_START / 2);
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

    /** A start that is killed at a random moment of what the last one took; whether it served by then is the answer's contrary. */
    private static boolean killedInTheStart(BarnabasProcess broker, Random random) throws Exception {
        Duration whole = broker.lastStart();
        broker.launch();
        // The first third is the virtual machine's and the container's; the data directory is not open yet.
        Duration moment = whole.dividedBy(3).plusMillis(random.nextLong(1 + whole.toMillis() * 2 / 3));
        assertThat(broker.endsWithin(moment))
                .as("the start after a kill ends by itself:\n%s", broker.output())
                .isFalse();
        boolean before = !broker.saysItServes();
        broker.kill();
        System.out.printf("CrashTest: killed %d ms into the start, serving: %b%n", moment.toMillis(), !before);
        return before;
    }

    private static void set(BarnabasProcess broker, ConfigResource resource, String key, String value)
            throws Exception {
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
        try (Admin admin = admin(broker)) {
            admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get(30, TimeUnit.SECONDS);
        }
    }

    private static String durability(BarnabasProcess broker) throws Exception {
        try (Admin admin = admin(broker)) {
            return admin.describeConfigs(List.of(CLUSTER))
                    .values()
                    .get(CLUSTER)
                    .get(30, TimeUnit.SECONDS)
                    .get(DURABILITY)
                    .value();
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
        private final AtomicLong commits = new AtomicLong(); // acknowledged
        private final Thread thread;
        private volatile boolean running = true;
        private volatile Throwable failure;

        CommittingConsumer(String bootstrap, String topic) {
            thread = new Thread(
                    () -> {
                        try {
                            run(bootstrap, topic);
                        } catch (RuntimeException | Error e) {
                            failure = e;
                        }
                    },
                    "committing-consumer");
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
                if (!offsets.isEmpty()) {
                    commits.incrementAndGet();
                }
            } catch (RetriableException | CommitFailedException | RebalanceInProgressException unknownOutcome) {
                // a commit that may or may not be stored promises nothing; any other error is a failure
            }
        }

        /** Waits for a commit that is sent and acknowledged from now on. */
        void awaitCommit() {
            long goal = commits.get() + 2; // one may be under way
            Awaitility.await("commits acknowledged")
                    .atMost(Duration.ofSeconds(90))
                    .until(() -> {
                        assertNoFailure();
                        return commits.get() >= goal;
                    });
        }

        private void assertNoFailure() {
            assertThat(failure)
                    .as("a consumer that commits under restarts fails with nothing but what can be tried again")
                    .isNull();
        }

        Map<TopicPartition, Long> acknowledgedCommits() {
            return Map.copyOf(acknowledged);
        }

        void stop() {
            close();
            assertNoFailure();
        }

        @Override
        public void close() {
            running = false;
            Uninterruptibly.join(thread);
        }
    }
}
