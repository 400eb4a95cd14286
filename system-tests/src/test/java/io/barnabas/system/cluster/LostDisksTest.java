package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.BarnabasProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Disks that do not come back: of one node of three, and of two at once. The way back is the one that docs/cluster.md tells. */
class LostDisksTest {
    private static final String TOPIC = "kept";
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final int RECORDS = 200;

    @TempDir
    Path dir;

    private Cluster cluster;

    @Test
    void one_lost_disk_takes_one_command_and_a_lost_majority_one_more() throws Exception {
        try (Cluster started = Cluster.start(new BarnabasProduct(Map.of()), Network.loopback(), Set.of(), dir, 3)) {
            cluster = started;
            String id = cluster.admin().describeCluster().clusterId().get();
            cluster.createTopic(TOPIC, List.of(List.of(1, 2, 3), List.of(2, 3, 1)), Map.of("min.insync.replicas", "2"));
            produce(0);
            // When the disk of one node is replaced
            loseDisk(3);
            launch(3);
            // Then its data comes back by itself, and its vote by a command
            cluster.awaitMembers(3, PATIENCE);
            cluster.awaitInSync(TOPIC);
            addVoter(3);
            awaitVoters(3);
            produce(RECORDS);
            // When those of two nodes are lost at once
            loseDisk(2);
            loseDisk(3);
            cluster.node(1).kill();
            // Then the third says what that means, and goes on when told so
            Told asked = forceRecover();
            assertThat(asked.code).as(asked.output).isEqualTo(1);
            assertThat(asked.output).contains("LOST", "will lead", "NOTHING HAS BEEN CHANGED");
            Told done = forceRecover("--yes");
            assertThat(done.code).as(done.output).isZero();
            assertThat(done.output).contains("DONE");
            cluster.node(1).launch();
            awaitVoters(1);
            assertThat(cluster.admin().describeCluster().clusterId().get()).isEqualTo(id);
            // When two new ones come
            launch(2);
            launch(3);
            addVoter(2);
            addVoter(3);
            // Then the cluster is whole again, with all that was acknowledged
            awaitVoters(3);
            cluster.awaitMembers(3, PATIENCE);
            cluster.awaitInSync(TOPIC);
            produce(2 * RECORDS);
            assertThat(read()).hasSize(3 * RECORDS);
        }
    }

    private void loseDisk(int node) throws Exception {
        cluster.node(node).kill();
        try (Stream<Path> files = Files.walk(cluster.node(node).place().data())) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Starts it, and waits until it has begun with an empty directory: by then the others know of the former one's end. */
    private void launch(int node) throws IOException {
        Path meta = cluster.node(node).place().data().resolve("metadata/meta.properties");
        cluster.node(node).launch();
        cluster.await("metadata of node " + node, PATIENCE, () -> Files.exists(meta));
    }

    private void awaitVoters(int count) {
        cluster.await("voters: " + count, PATIENCE, () -> {
            var quorum = cluster.admin().describeMetadataQuorum().quorumInfo().get();
            return quorum.leaderId() > 0 && quorum.voters().size() == count;
        });
    }

    private void produce(int from) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", cluster.bootstrap(), "acks", "all"),
                new StringSerializer(),
                new StringSerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = from; i < from + RECORDS; i++) {
                sent.add(producer.send(new ProducerRecord<>(TOPIC, i % 2, null, "v" + i)));
            }
            for (Future<RecordMetadata> each : sent) {
                each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
        }
    }

    private Set<String> read() {
        Set<String> values = new HashSet<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", cluster.bootstrap(), "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.assign(List.of(new TopicPartition(TOPIC, 0), new TopicPartition(TOPIC, 1)));
            cluster.await("all records", PATIENCE, () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
                return values.size() >= 3 * RECORDS;
            });
        }
        return values;
    }

    private record Told(int code, String output) {}

    private void addVoter(int node) throws Exception {
        Place place = cluster.node(node).place();
        Told told = barnabas(
                List.of("add-voter", "--bootstrap", cluster.node(1).place().bootstrap(), "--data", "" + place.data()));
        assertThat(told.code).as(told.output).isZero();
        assertThat(told.output).contains("Node " + node + " votes");
    }

    /** With the settings that the node is started with. */
    private Told forceRecover(String... more) throws Exception {
        List<Place> all = cluster.nodes().stream().map(Node::place).toList();
        List<String> run = cluster.product().command(all.get(0), all);
        List<String> arguments = new ArrayList<>(List.of("force-recover"));
        arguments.addAll(run.subList(run.indexOf("run") + 1, run.size()));
        arguments.addAll(Arrays.asList(more));
        return barnabas(arguments);
    }

    private Told barnabas(List<String> arguments) throws IOException, InterruptedException {
        Path output = Files.createTempFile(dir, "command", ".out");
        List<String> command = new ArrayList<>(List.of(
                Product.java(), "-jar", BarnabasProcess.jar().toAbsolutePath().toString()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        return new Told(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    }
}
