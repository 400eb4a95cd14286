package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes that are told of the cluster's key by one setting: metadata log and replication go through TLS. */
@Timeout(180)
class SecuredClusterTest {
    private static final int RECORDS = 200;
    /** With which gRPC begins in the clear: it is answered with settings. */
    private static final byte[] HTTP_2 =
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0".getBytes(StandardCharsets.US_ASCII);
    /** A whole request, version 0: length, API 18, version, correlation id, client id "me". */
    private static final byte[] API_VERSIONS = {0, 0, 0, 12, 0, 18, 0, 0, 0, 0, 0, 1, 0, 2, 'm', 'e'};

    @TempDir
    Path directory;

    private Path key() throws Exception {
        return Files.write(
                directory.resolve("cluster.pem"),
                getClass().getResourceAsStream("/io/barnabas/net/cluster.pem").readAllBytes());
    }

    @Test
    void nodes_with_the_key_form_a_cluster_that_replicates_and_nobody_else_is_heard() throws Exception {
        // Given three nodes
        try (EmbeddedCluster cluster = EmbeddedCluster.start(
                3,
                Map.of(
                        "barnabas.cluster.key", key().toString(),
                        "min.insync.replicas", "3",
                        "default.replication.factor", "3"))) {
            // When records are written that all three must have, small and large ones
            try (Admin admin = Admin.create(
                    Map.of("bootstrap.servers", cluster.bootstraps().get(2)))) {
                admin.createTopics(List.of(new NewTopic("letters", 1, (short) 3)))
                        .all()
                        .get(60, TimeUnit.SECONDS);
            }
            write(cluster.bootstraps().get(1));
            // Then they are read, with clients that speak as ever
            assertThat(read(cluster.bootstraps().get(0))).hasSize(RECORDS);
            // And who speaks in the clear with the nodes is told nothing but by TLS
            assertThat(answerTo(cluster.interBrokerPort(0), API_VERSIONS))
                    .matches(SecuredClusterTest::isAlertOrNothing);
            assertThat(answerTo(cluster.quorumPort(0), HTTP_2)).matches(SecuredClusterTest::isAlertOrNothing);
        }
    }

    private static void write(String bootstrap) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap, "acks", "all"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                producer.send(new ProducerRecord<>("letters", new byte[1 + i * 100]));
            }
            producer.send(new ProducerRecord<>("letters", new byte[900_000])).get(60, TimeUnit.SECONDS);
        }
    }

    private static List<Integer> read(String bootstrap) {
        List<Integer> sizes = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.assign(List.of(new TopicPartition("letters", 0)));
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> sizes.add(record.value().length));
                return sizes.contains(900_000);
            });
        }
        sizes.remove(Integer.valueOf(900_000));
        return sizes;
    }

    /** What comes back until the other closes, or has been silent for some seconds. */
    private static byte[] answerTo(int port, byte[] words) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write(words);
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            try {
                for (int next = socket.getInputStream().read();
                        next >= 0;
                        next = socket.getInputStream().read()) {
                    answer.write(next);
                }
            } catch (SocketTimeoutException silent) {
                // what came until then is the answer
            }
            return answer.toByteArray();
        }
    }

    /** A record of TLS of type 21, or the end. */
    private static boolean isAlertOrNothing(byte[] bytes) {
        return bytes.length == 0 || bytes[0] == 21;
    }
}
