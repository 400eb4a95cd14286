package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.checker.Checker;
import io.barnabas.system.checker.History;
import io.barnabas.system.checker.Operation;
import io.barnabas.system.checker.Outcome;
import io.barnabas.system.checker.Read;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;

/**
 * Clients that send, poll, transform and commit, in transactions and outside them, in groups of both protocols, and write down what they do
 * and see, while somebody else lets the brokers meet their faults. At the end the {@link Checker} reads it. Used by one thread.
 */
public final class Workload {
    /** Of the brokers: small coordinators, and members that are soon missed. */
    public static final Map<String, String> SETTINGS = Map.of(
            "offsets.topic.num.partitions", "4",
            "transaction.state.log.num.partitions", "4",
            "group.initial.rebalance.delay.ms", "0",
            "group.consumer.min.session.timeout.ms", "5000",
            "group.consumer.session.timeout.ms", "10000",
            "group.consumer.min.heartbeat.interval.ms", "500",
            "group.consumer.heartbeat.interval.ms", "1000",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");

    /** What the clients write to, beside what brokers write about them. */
    public static final List<String> TOPICS = List.of(HistoryClient.IN, HistoryClient.OUT);

    private static final int CLIENTS_END_SECONDS = 120;
    private static final List<String> GROUPS =
            List.of("classic-transformers", "consumer-transformers", "classic-readers", "consumer-readers");
    private static final int SHOWN = 20;

    private final String bootstrap;
    private final List<HistoryClient> clients = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    /** @param seed of what the clients do */
    public Workload(String bootstrap, long seed) {
        this.bootstrap = bootstrap;
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

    /** Makes the topics. */
    public void createTopics(int replicas, Map<String, String> configs) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            List<NewTopic> topics = List.of(
                    new NewTopic(HistoryClient.IN, HistoryClient.PARTITIONS, (short) replicas).configs(configs),
                    new NewTopic(HistoryClient.OUT, HistoryClient.PARTITIONS, (short) replicas).configs(configs));
            admin.createTopics(topics).all().get(30, TimeUnit.SECONDS);
        }
    }

    /** All clients begin. */
    public void start() {
        clients.forEach(client -> threads.add(new Thread(client, client.name())));
        threads.forEach(Thread::start);
    }

    /** Lets all clients come to their end, which they must. */
    public void end() throws InterruptedException {
        clients.forEach(HistoryClient::stop);
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(CLIENTS_END_SECONDS);
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())));
            assertThat(thread.isAlive())
                    .as("%s has not ended: %s", thread.getName(), List.of(thread.getStackTrace()))
                    .isFalse();
        }
    }

    /** All that was done and seen, and what is there now, when no transaction is open any more. */
    public History history() throws Exception {
        List<Operation> operations = new ArrayList<>();
        clients.forEach(client -> operations.addAll(client.operations()));
        awaitNoOpenTransaction();
        Map<String, Map<TopicPartition, Long>> offsets = new HashMap<>();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            for (String group : GROUPS) {
                Map<TopicPartition, Long> found = new HashMap<>();
                admin.listConsumerGroupOffsets(group)
                        .partitionsToOffsetAndMetadata()
                        .get(60, TimeUnit.SECONDS)
                        .forEach((partition, offset) -> found.put(partition, offset.offset()));
                offsets.put(group, found);
            }
        }
        return new History(operations, log("read_committed"), log("read_uncommitted"), offsets);
    }

    private void awaitNoOpenTransaction() {
        Awaitility.await("the last stable offset is the end of every partition")
                .atMost(Duration.ofSeconds(90))
                .untilAsserted(() -> assertThat(ends("read_committed")).isEqualTo(ends("read_uncommitted")));
    }

    private Map<TopicPartition, Long> ends(String isolation) {
        try (KafkaConsumer<byte[], Long> consumer = reader(isolation)) {
            return consumer.endOffsets(HistoryClient.allPartitions());
        }
    }

    /** Every partition from its beginning to its end. */
    private Map<TopicPartition, List<Read>> log(String isolation) {
        List<TopicPartition> partitions = HistoryClient.allPartitions();
        Map<TopicPartition, List<Read>> log = new HashMap<>();
        partitions.forEach(partition -> log.put(partition, new ArrayList<>()));
        try (KafkaConsumer<byte[], Long> consumer = reader(isolation)) {
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

    private KafkaConsumer<byte[], Long> reader(String isolation) {
        return new KafkaConsumer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "isolation.level", isolation,
                "auto.offset.reset", "earliest",
                "key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer",
                "value.deserializer", "org.apache.kafka.common.serialization.LongDeserializer"));
    }

    /** What each client did, what is there, and what should not be. */
    public String report(History history, List<Anomaly> anomalies) {
        StringBuilder text = new StringBuilder();
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
                .limit(SHOWN)
                .forEach(anomaly -> text.append(anomaly).append('\n')));
        return text.toString();
    }

    private static long size(Map<TopicPartition, List<Read>> log) {
        return log.values().stream().mapToLong(List::size).sum();
    }

    /** A workload that did nothing would find nothing. */
    public void assertProgress(History history, int leastRecords) {
        assertThat(size(history.committed())).isGreaterThan(leastRecords);
        for (HistoryClient client : clients) {
            assertThat(client.operations()).as(client.name()).anyMatch(operation -> operation.outcome() == Outcome.OK);
        }
    }
}
