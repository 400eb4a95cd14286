package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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
    private static final List<EmbeddedBroker> nodes = new ArrayList<>();
    private static final List<String> bootstraps = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        int[] ports = freePorts(NODES * 3);
        String voters = IntStream.range(0, NODES)
                .mapToObj(i -> (i + 1) + "@127.0.0.1:" + ports[i])
                .collect(Collectors.joining(","));
        List<CompletableFuture<EmbeddedBroker>> starting = new ArrayList<>();
        for (int i = 0; i < NODES; i++) {
            Map<String, String> config = new HashMap<>(Map.of(
                    "node.id", Integer.toString(i + 1),
                    "listeners",
                            "PLAINTEXT://127.0.0.1:" + ports[NODES + i] + ",BROKER://127.0.0.1:" + ports[2 * NODES + i],
                    "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
                    "inter.broker.listener.name", "BROKER",
                    "controller.quorum.voters", voters,
                    "transaction.state.log.replication.factor", "1",
                    "transaction.state.log.min.isr", "1",
                    "transaction.state.log.num.partitions", "6"));
            CompletableFuture<EmbeddedBroker> node = new CompletableFuture<>();
            Thread thread = new Thread(
                    () -> {
                        try {
                            node.complete(EmbeddedBroker.start(config));
                        } catch (Throwable e) {
                            node.completeExceptionally(e);
                        }
                    },
                    "node-" + i);
            thread.start();
            starting.add(node);
            bootstraps.add("127.0.0.1:" + ports[NODES + i]);
        }
        for (CompletableFuture<EmbeddedBroker> node : starting) {
            nodes.add(node.get(100, TimeUnit.SECONDS));
        }
    }

    private static int[] freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        int port = 20_000 + (int) (ProcessHandle.current().pid() % 97) * 100;
        while (sockets.size() < count) {
            try {
                sockets.add(new ServerSocket(port++, 1, InetAddress.getLoopbackAddress()));
            } catch (IOException e) {
                continue; // taken
            }
        }
        int[] ports = sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return ports;
    }

    @AfterAll
    static void stop() {
        List<Thread> stopping =
                nodes.stream().map(node -> new Thread(node::close)).toList();
        stopping.forEach(Thread::start);
        stopping.forEach(thread -> {
            try {
                thread.join(30_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
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
