package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.checker.Checker;
import io.barnabas.system.checker.History;
import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Read;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients send, poll, transform and commit, in transactions and outside them, in groups of both protocols, while the broker is killed,
 * frozen and cut off; then the {@link Checker} reads what they wrote down. {@code -Dbarnabas.checker.seconds} says how long,
 * {@code -Dseed} which faults; the report is in {@code target/exactly-once.txt}, what the broker printed beside it.
 */
class ExactlyOnceTest {
    private static final int SECONDS = Integer.getInteger("barnabas.checker.seconds", 120);
    private static final int CLIENTS_END_SECONDS = 120;
    private static final Map<String, String> SETTINGS = Map.of(
            "offsets.topic.num.partitions", "4",
            "transaction.state.log.num.partitions", "4",
            "group.initial.rebalance.delay.ms", "0",
            "group.consumer.min.session.timeout.ms", "5000",
            "group.consumer.session.timeout.ms", "10000",
            "group.consumer.min.heartbeat.interval.ms", "500",
            "group.consumer.heartbeat.interval.ms", "1000",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");

    private final List<HistoryClient> clients = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    @Test
    void under_faults_nothing_is_lost_doubled_torn_or_seen_too_early(@TempDir Path dir) throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("ExactlyOnceTest: seed " + seed);
        try (LossyProxy proxy = new LossyProxy();
                BarnabasProcess broker = BarnabasProcess.startBehind(proxy, dir.resolve("data"), SETTINGS)) {
            // Given clients of every kind
            createTopics(proxy.bootstrap());
            clients(proxy.bootstrap(), seed);
            clients.forEach(client -> threads.add(new Thread(client, client.name())));
            threads.forEach(Thread::start);
            // When the broker meets its faults, half of the time under each way of transactions
            Faults faults = new Faults(broker, proxy, seed);
            try {
                long begin = System.nanoTime();
                underFaults(faults, begin + TimeUnit.SECONDS.toNanos(SECONDS / 2));
                setTransactionVersion(proxy.bootstrap(), 1);
                underFaults(faults, begin + TimeUnit.SECONDS.toNanos(SECONDS));
            } finally {
                end();
                Files.createDirectories(Path.of("target"));
                Files.writeString(Path.of("target/exactly-once-broker.log"), broker.output());
            }
            // Then what they saw can have been
            History history = history(proxy.bootstrap());
            List<Anomaly> anomalies = Checker.check(history);
            String report = report(seed, history, faults, anomalies);
            Files.writeString(Path.of("target/exactly-once.txt"), report);
            System.out.println(report);
            assertThat(anomalies).as(report).isEmpty();
            assertProgress(history);
        }
    }

    private void clients(String bootstrap, long seed) {
        clients.add(new PlainSender("plain-1", bootstrap, seed));
        clients.add(new PlainSender("plain-2", bootstrap, seed));
        clients.add(new AssignedReader("committed", bootstrap, seed, Operation.Isolation.COMMITTED));
        clients.add(new AssignedReader("uncommitted", bootstrap, seed, Operation.Isolation.UNCOMMITTED));
        for (int i = 1; i <= 3; i++) {
            clients.add(new TransactionalClient("transactional-" + i, bootstrap, seed));
        }
        for (String protocol : List.of("classic", "consumer")) {
            for (int i = 1; i <= 2; i++) {
                clients.add(new Transformer(protocol + "-transformer-" + i, bootstrap, seed, protocol));
                clients.add(new GroupReader(protocol + "-reader-" + i, bootstrap, seed, protocol));
            }
        }
    }

    private static void underFaults(Faults faults, long untilNs) throws Exception {
        while (System.nanoTime() < untilNs) {
            faults.next();
        }
    }

    private void end() throws InterruptedException {
        clients.forEach(HistoryClient::stop);
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLIENTS_END_SECONDS);
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())));
            assertThat(thread.isAlive())
                    .as("%s has not ended: %s", thread.getName(), List.of(thread.getStackTrace()))
                    .isFalse();
        }
    }

    private static void createTopics(String bootstrap) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(
                            new NewTopic(HistoryClient.IN, HistoryClient.PARTITIONS, (short) 1),
                            new NewTopic(HistoryClient.OUT, HistoryClient.PARTITIONS, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    private static void setTransactionVersion(String bootstrap, int version) throws Exception {
        FeatureUpdate update = new FeatureUpdate((short) version, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.updateFeatures(Map.of("transaction.version", update), new UpdateFeaturesOptions())
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }

    private History history(String bootstrap) throws Exception {
        List<Operation> operations = new ArrayList<>();
        clients.forEach(client -> operations.addAll(client.operations()));
        awaitNoOpenTransaction(bootstrap);
        Map<String, Map<TopicPartition, Long>> offsets = new HashMap<>();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            for (String group :
                    List.of("classic-transformers", "consumer-transformers", "classic-readers", "consumer-readers")) {
                Map<TopicPartition, Long> found = new HashMap<>();
                admin.listConsumerGroupOffsets(group)
                        .partitionsToOffsetAndMetadata()
                        .get(60, TimeUnit.SECONDS)
                        .forEach((partition, offset) -> found.put(partition, offset.offset()));
                offsets.put(group, found);
            }
        }
        return new History(operations, log(bootstrap, "read_committed"), log(bootstrap, "read_uncommitted"), offsets);
    }

    private static void awaitNoOpenTransaction(String bootstrap) {
        Awaitility.await("the last stable offset is the end of every partition")
                .atMost(Duration.ofSeconds(90))
                .untilAsserted(() ->
                        assertThat(ends(bootstrap, "read_committed")).isEqualTo(ends(bootstrap, "read_uncommitted")));
    }

    private static Map<TopicPartition, Long> ends(String bootstrap, String isolation) {
        try (KafkaConsumer<byte[], Long> consumer = reader(bootstrap, isolation)) {
            return consumer.endOffsets(HistoryClient.allPartitions());
        }
    }

    /** Every partition from its beginning to its end. */
    private static Map<TopicPartition, List<Read>> log(String bootstrap, String isolation) {
        List<TopicPartition> partitions = HistoryClient.allPartitions();
        Map<TopicPartition, List<Read>> log = new HashMap<>();
        partitions.forEach(partition -> log.put(partition, new ArrayList<>()));
        try (KafkaConsumer<byte[], Long> consumer = reader(bootstrap, isolation)) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(500)).forEach(found -> {
                    TopicPartition partition = new TopicPartition(found.topic(), found.partition());
                    log.get(partition).add(new Read(partition, found.offset(), found.value()));
                });
            }
        }
        return log;
    }

    private static KafkaConsumer<byte[], Long> reader(String bootstrap, String isolation) {
        return new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "isolation.level", isolation,
                "auto.offset.reset", "earliest",
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.LongDeserializer"));
    }

    private String report(long seed, History history, Faults faults, List<Anomaly> anomalies) {
        StringBuilder text = new StringBuilder("ExactlyOnceTest: seed " + seed + ", " + SECONDS + " s\n");
        text.append("faults: ").append(faults.done()).append('\n');
        for (HistoryClient client : clients) {
            Map<String, Long> outcomes = client.operations().stream()
                    .collect(Collectors.groupingBy(
                            operation -> operation.kind() + " " + operation.outcome(), Collectors.counting()));
            text.append(client.name()).append(": ").append(outcomes);
            text.append(", lives ended by ").append(client.ends()).append('\n');
        }
        text.append("records at the end: ").append(size(history.uncommitted()));
        text.append(", committed ").append(size(history.committed())).append('\n');
        Map<Anomaly.Kind, Long> counts =
                anomalies.stream().collect(Collectors.groupingBy(Anomaly::kind, Collectors.counting()));
        text.append("anomalies: ").append(counts).append('\n');
        counts.keySet().forEach(kind -> anomalies.stream()
                .filter(anomaly -> anomaly.kind() == kind)
                .limit(20)
                .forEach(anomaly -> text.append(anomaly).append('\n')));
        return text.toString();
    }

    private static long size(Map<TopicPartition, List<Read>> log) {
        return log.values().stream().mapToLong(List::size).sum();
    }

    /** A workload that did nothing would find nothing. */
    private void assertProgress(History history) {
        assertThat(size(history.committed())).isGreaterThan(SECONDS);
        for (HistoryClient client : clients) {
            assertThat(client.operations())
                    .as(client.name())
                    .anyMatch(operation -> operation.outcome() == io.barnabas.system.checker.Outcome.OK);
        }
    }
}
