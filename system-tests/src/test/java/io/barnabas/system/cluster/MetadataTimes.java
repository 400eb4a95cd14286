package io.barnabas.system.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A program: how soon a change of metadata is seen at every broker of three, and how long many partitions take to be made, to be led by
 * others when a node dies, and to be in sync when it is back. Prints one line for each; see {@link FaultTable} for the properties.
 *
 * <pre>MetadataTimes [barnabas|kafka:FOLDER_OF_JARS] [partitions]</pre>
 */
final class MetadataTimes {
    private static final int NODES = 3;
    /** Changes before those that count; a JVM has compiled what they take after a thousand. */
    private static final int WARM = Integer.getInteger("cluster.warm", 1_000);

    private static final int CHANGES = 200;
    private static final int TOPIC_PARTITIONS = 1_000;
    /** Between two changes, so that each finds what the one before has left behind done. */
    private static final Duration REST = Duration.ofMillis(100);

    /** Between two looks at a node: what is found is late by half of it, and who looks all the time takes the processors from those he looks at. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    private static final long LIMIT_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final Cluster cluster;
    private final ExecutorService watchers = Executors.newFixedThreadPool(NODES);

    private MetadataTimes(Cluster cluster) {
        this.cluster = cluster;
    }

    public static void main(String[] args) throws Exception {
        Path directory = Files.createTempDirectory("metadata-times-");
        int partitions = Integer.parseInt(args[1]);
        try (Cluster cluster = Cluster.start(Product.named(args[0]), Network.loopback(), Set.of(), directory, NODES)) {
            MetadataTimes times = new MetadataTimes(cluster);
            times.changes();
            times.many(partitions);
            times.watchers.shutdownNow();
        }
        System.exit(0);
    }

    private void print(String what, Object value) {
        System.out.println("| " + cluster.product().name() + " | " + what + " | " + value + " |");
    }

    /** Topics made one after another; each is looked for on every node from before it is asked for. */
    private void changes() throws Exception {
        double[] ms = new double[CHANGES];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()))) {
            for (int i = -WARM; i < CHANGES; i++) {
                String topic = "change-" + i;
                List<CompletableFuture<Long>> seen = cluster.nodes().stream()
                        .map(node -> seen(node, List.of(topic), MetadataTimes::isLed))
                        .toList();
                long begun = System.nanoTime();
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) NODES)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
                long last = 0;
                for (CompletableFuture<Long> each : seen) {
                    last = Math.max(last, each.get());
                }
                Pause.of(REST);
                if (i >= 0) {
                    ms[i] = (last - begun) / 1e6;
                }
            }
        }
        Arrays.sort(ms);
        print("change seen everywhere, median", String.format("%.1f ms", ms[CHANGES / 2]));
        print("change seen everywhere, p99", String.format("%.1f ms", ms[CHANGES * 99 / 100]));
    }

    private void many(int partitions) throws Exception {
        List<String> topics = IntStream.range(0, partitions / TOPIC_PARTITIONS)
                .mapToObj(i -> "many-" + i)
                .toList();
        Node dead = cluster.node(1);
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", cluster.bootstrap(), "request.timeout.ms", 120_000))) {
            long begun = System.nanoTime();
            admin.createTopics(topics.stream()
                            .map(topic -> new NewTopic(topic, TOPIC_PARTITIONS, (short) NODES))
                            .toList())
                    .all()
                    .get(5, TimeUnit.MINUTES);
            print(
                    partitions + " partitions, seen everywhere",
                    since(begun, topics, cluster.nodes(), MetadataTimes::isInSync));
            writeToEach(topics);
            print(
                    partitions + " partitions, each written to",
                    String.format("%.1f s", (System.nanoTime() - begun) / 1e9));
        }
        List<Node> living =
                cluster.nodes().stream().filter(node -> node != dead).toList();
        dead.kill();
        print(
                partitions + " partitions, led by others",
                since(System.nanoTime(), topics, living, p -> isLed(p) && p.leaderId() != dead.id()));
        Pause.of(Duration.ofSeconds(10));
        long begun = System.nanoTime();
        dead.launch();
        print(partitions + " partitions, in sync again", since(begun, topics, living, MetadataTimes::isInSync));
    }

    private void writeToEach(List<String> topics) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", cluster.bootstrap(), "acks", "all", "batch.size", 1_000),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (String topic : topics) {
                for (int partition = 0; partition < TOPIC_PARTITIONS; partition++) {
                    sent.add(producer.send(new ProducerRecord<>(topic, partition, null, new byte[10])));
                }
            }
            for (Future<RecordMetadata> each : sent) {
                each.get(5, TimeUnit.MINUTES);
            }
        }
    }

    private String since(
            long begun, List<String> topics, List<Node> nodes, Predicate<MetadataResponsePartition> condition)
            throws Exception {
        List<CompletableFuture<Long>> seen = new ArrayList<>();
        nodes.forEach(node -> seen.add(seen(node, topics, condition)));
        long last = 0;
        for (CompletableFuture<Long> each : seen) {
            last = Math.max(last, each.get());
        }
        return String.format("%.1f s", (last - begun) / 1e9);
    }

    private static boolean isLed(MetadataResponsePartition partition) {
        return partition.leaderId() > 0;
    }

    private static boolean isInSync(MetadataResponsePartition partition) {
        return isLed(partition) && partition.isrNodes().size() == NODES;
    }

    /** When the node says of all partitions of these topics that they are so. */
    private CompletableFuture<Long> seen(
            Node node, List<String> topics, Predicate<MetadataResponsePartition> condition) {
        return CompletableFuture.supplyAsync(
                () -> {
                    long limit = System.nanoTime() + LIMIT_NANOS;
                    try (MetadataConnection connection = new MetadataConnection(node.place())) {
                        while (System.nanoTime() < limit) {
                            if (holds(connection.ask(topics), condition)) {
                                return System.nanoTime();
                            }
                            LockSupport.parkNanos(topics.size() == 1 ? LOOK_NANOS : 50 * LOOK_NANOS);
                        }
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                    throw new AssertionError(node + " does not see it: " + topics);
                },
                watchers);
    }

    private static boolean holds(MetadataResponseData answer, Predicate<MetadataResponsePartition> condition) {
        for (MetadataResponseTopic topic : answer.topics()) {
            if (topic.errorCode() != 0
                    || topic.partitions().isEmpty()
                    || !topic.partitions().stream().allMatch(condition)) {
                return false;
            }
        }
        return true;
    }
}
