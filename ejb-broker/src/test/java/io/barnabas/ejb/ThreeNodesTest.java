package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three nodes in one process, each partition on one of them: clients may ask any, and transactions cross brokers. */
@Timeout(180)
class ThreeNodesTest {
    private static final int NODES = 3;
    private static EmbeddedCluster cluster;
    private static List<EmbeddedBroker> nodes;
    private static List<String> bootstraps;

    @BeforeAll
    static void start() throws Exception {
        cluster = EmbeddedCluster.start(
                NODES,
                Map.of(
                        "transaction.state.log.replication.factor", "1",
                        "transaction.state.log.min.isr", "1",
                        "transaction.state.log.num.partitions", "6"));
        nodes = cluster.nodes();
        bootstraps = cluster.bootstraps();
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static Admin admin(int node) {
        return Admin.create(Map.of("bootstrap.servers", bootstraps.get(node)));
    }

    /** A topic whose partition n is on broker n + 1. The controller may change on the way: then it may have been made before. */
    private static void createSpread(Admin admin, String name) throws Exception {
        Map<Integer, List<Integer>> replicas = new HashMap<>();
        for (int i = 0; i < NODES; i++) {
            replicas.put(i, List.of(i + 1));
        }
        unless(
                TopicExistsException.class,
                admin.createTopics(List.of(new NewTopic(name, replicas))).all());
    }

    private static void unless(Class<? extends Throwable> doneBefore, KafkaFuture<?> change) throws Exception {
        try {
            change.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(doneBefore);
        }
    }

    @Test
    void clients_are_told_of_every_broker_by_the_listener_they_came_on() throws Exception {
        for (int i = 0; i < NODES; i++) {
            try (Admin admin = admin(i)) {
                await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> assertThat(
                                admin.describeCluster().nodes().get(10, TimeUnit.SECONDS))
                        .extracting(node -> node.host() + ":" + node.port())
                        .containsExactlyInAnyOrderElementsOf(bootstraps));
            }
        }
    }

    @Test
    void changes_may_be_sent_to_any_node() throws Exception {
        for (int i = 0; i < NODES; i++) {
            String name = "by-" + i;
            EmbeddedBroker node = nodes.get(i);
            try (Admin admin = admin(i)) {
                createSpread(admin, name);
                // settings of a broker go to that broker, which passes them on
                ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(i + 1));
                admin.incrementalAlterConfigs(Map.of(
                                broker,
                                List.of(new AlterConfigOp(
                                        new ConfigEntry("log.cleaner.backoff.ms", "20000"), AlterConfigOp.OpType.SET))))
                        .all()
                        .get(60, TimeUnit.SECONDS);
                await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> assertThat(
                                node.node().config().current().getLong("log.cleaner.backoff.ms"))
                        .isEqualTo(20_000));
                unless(
                        UnknownTopicOrPartitionException.class,
                        admin.deleteTopics(List.of(name)).all());
            }
        }
    }

    @Test
    void transactions_span_partitions_and_coordinators_of_all_brokers() throws Exception {
        try (Admin admin = admin(0)) {
            createSpread(admin, "spread");
        }
        for (int i = 0; i < 6; i++) {
            Map<String, Object> config = new HashMap<>(Map.of(
                    "bootstrap.servers",
                    String.join(",", bootstraps),
                    "transactional.id",
                    "tx-" + i,
                    "max.block.ms",
                    "30000"));
            try (KafkaProducer<String, String> producer =
                    new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
                producer.initTransactions();
                for (boolean commit : new boolean[] {true, false, true}) {
                    producer.beginTransaction();
                    for (int partition = 0; partition < NODES; partition++) {
                        producer.send(
                                new ProducerRecord<>("spread", partition, null, (commit ? "kept-" : "dropped-") + i));
                    }
                    producer.flush();
                    if (commit) {
                        producer.commitTransaction();
                    } else {
                        producer.abortTransaction();
                    }
                }
            }
        }
        assertThat(committed("spread", 6 * 2 * NODES))
                .allMatch(value -> value.startsWith("kept-"))
                .hasSize(6 * 2 * NODES);
    }

    private static List<String> committed(String topic, int wanted) {
        Map<String, Object> config = Map.of(
                "bootstrap.servers", bootstraps.get(1),
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest");
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(IntStream.range(0, NODES)
                    .mapToObj(partition -> new TopicPartition(topic, partition))
                    .toList());
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
                return values.size() >= wanted;
            });
        }
        return values;
    }
}
