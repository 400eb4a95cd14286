package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.barnabas.partition.LocalPartition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three nodes in one process: files of one are damaged while it is stopped in order. Unattended it has again what the others have. */
@Timeout(180)
class DamagedReplicaTest {
    private static final int RECORDS = 2_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static EmbeddedCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = EmbeddedCluster.start(3, Map.of("log.segment.bytes", "1048576"));
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static EmbeddedBroker node(int id) {
        return cluster.nodes().get(id - 1);
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", String.join(",", cluster.bootstraps())));
    }

    private static void fill(String topic, List<Integer> replicas, int minInSync) throws Exception {
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, Map.of(0, replicas))
                            .configs(Map.of("min.insync.replicas", Integer.toString(minInSync)))))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
        append(topic);
    }

    private static void append(String topic) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        String.join(",", cluster.bootstraps()),
                        "batch.size",
                        "300",
                        "delivery.timeout.ms",
                        "60000",
                        "request.timeout.ms",
                        "10000"),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                producer.send(new ProducerRecord<>(topic, 0, null, "the value with number " + i + ".".repeat(2_000)));
            }
            producer.flush();
        }
    }

    private static Path folder(int id, String topic) {
        return node(id).directory().resolve("data").resolve(topic + "-0");
    }

    /** The batches of all segments, one after the other. */
    private static byte[] content(int id, String topic) throws IOException {
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (Path each : segments(id, topic)) {
            all.writeBytes(Files.readAllBytes(each));
        }
        return all.toByteArray();
    }

    private static List<Path> segments(int id, String topic) throws IOException {
        try (Stream<Path> files = Files.list(folder(id, topic))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .toList();
        }
    }

    private static void flip(Path segment) throws IOException {
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length / 2] ^= 16;
        Files.write(segment, bytes);
    }

    private static void cut(Path segment) throws IOException {
        byte[] bytes = Files.readAllBytes(segment);
        Files.write(segment, Arrays.copyOf(bytes, bytes.length / 3));
    }

    private static List<Integer> inSync(String topic) throws Exception {
        try (Admin admin = admin()) {
            TopicPartitionInfo partition = admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .get(60, TimeUnit.SECONDS)
                    .get(topic)
                    .partitions()
                    .get(0);
            return partition.isr().stream().map(node -> node.id()).sorted().toList();
        }
    }

    private static void assertMended(String topic, Path... damaged) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(inSync(topic)).containsExactly(1, 2, 3);
            byte[] whole = content(2, topic);
            assertThat(content(1, topic)).as("the copy of node 1").isEqualTo(whole);
            assertThat(content(3, topic)).isEqualTo(whole);
        });
        assertThat(node(1).node().logs().directories().get(0).online()).isTrue();
    }

    @Test
    void a_leader_whose_old_segments_are_damaged_gets_them_again_and_leads_no_longer_meanwhile() throws Exception {
        // Given
        fill("flipped", List.of(1, 2, 3), 2);
        fill("cut", List.of(1, 2, 3), 2);
        byte[] before = content(2, "flipped");
        node(1).stop();
        flip(segments(1, "flipped").get(1));
        cut(segments(1, "cut").get(2));

        // When it starts again, it is given the lead again, and somebody goes on
        node(1).startAgain();
        append("flipped");

        // Then
        assertMended("flipped");
        assertMended("cut");
        assertThat(content(1, "flipped")).startsWith(before);
        await().atMost(PATIENCE).untilAsserted(() -> {
            LocalPartition mended = node(1).node().partitions().partition(new TopicPartition("flipped", 0));
            assertThat(mended.log().logEndOffset()).isEqualTo(2L * RECORDS);
            assertThat(mended.image().directories())
                    .contains(node(1).node().logs().directories().get(0).id());
        });
    }

    @Test
    void a_sole_replica_keeps_what_it_has() throws Exception {
        // Given
        fill("sole", List.of(1), 1);
        node(1).stop();
        flip(segments(1, "sole").get(1));
        List<byte[]> before = new ArrayList<>();
        for (Path each : segments(1, "sole")) {
            before.add(Files.readAllBytes(each));
        }

        // When
        node(1).startAgain();
        await().during(Duration.ofSeconds(8)).atMost(PATIENCE).until(() -> inSync("sole")
                .equals(List.of(1)));

        // Then
        assertThat(segments(1, "sole")).hasSameSizeAs(before);
        assertThat(node(1).node()
                        .partitions()
                        .partition(new TopicPartition("sole", 0))
                        .leads())
                .isTrue();
        append("sole");
    }
}
