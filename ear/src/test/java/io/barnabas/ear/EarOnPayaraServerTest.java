package io.barnabas.ear;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * {@code barnabas.ear} on a full Payara Server: it serves, it goes with its port, threads, sockets and class loaders, and says nothing
 * of it in the server's log that would alarm; it comes again with its records.
 */
class EarOnPayaraServerTest {
    private static final String TOPIC = "letters";
    private static final int REDEPLOYMENTS = 3;
    private static final Duration WAIT = Duration.ofSeconds(60);

    private final int kafkaPort = PayaraServer.freePort();

    @Test
    void serves_and_goes_without_a_trace_and_comes_again_with_its_records() throws Exception {
        // Given a server, and the archive
        Path ear = Path.of(System.getProperty("barnabas.ear"));
        Path work = Files.createDirectories(Path.of(System.getProperty("work")));
        Path run = Files.createTempDirectory(work, "run-");
        Path configuration = Files.writeString(
                run.resolve("server.properties"),
                "listeners=PLAINTEXT://127.0.0.1:" + kafkaPort + "\nlog.dirs=" + run.resolve("data") + "\n");
        List<String> written = new ArrayList<>();
        try (PayaraServer server =
                PayaraServer.start(Path.of(System.getProperty("payara.server")), run, configuration)) {
            int startOfLog = server.logLength();
            long socketsWithout = -1;
            for (int round = 0; round <= REDEPLOYMENTS; round++) {
                // When it is deployed
                server.deploy("barnabas", ear);

                // Then records go through it, those of the rounds before are still there, and the console answers
                write(written, "letter " + round);
                assertThat(read(written.size())).isEqualTo(written);
                assertThat(status(server.http() + "/barnabas/")).isEqualTo(200);
                assertThat(status(server.http() + "/barnabas/api/v1/topics")).isEqualTo(200);

                // When it is undeployed, then nothing of it stays
                server.undeploy("barnabas");
                assertGone(server);
                if (round == 0) {
                    socketsWithout = server.openSockets();
                }
                long before = socketsWithout;
                Awaitility.await("no socket stays").atMost(WAIT).untilAsserted(() -> assertThat(server.openSockets())
                        .isLessThanOrEqualTo(before));
            }
            assertThat(server.alarms(startOfLog))
                    .as("warnings, errors and stack traces in the server's log")
                    .isEmpty();
        }
    }

    private void assertGone(PayaraServer server) throws IOException {
        try (ServerSocket socket = new ServerSocket(kafkaPort, 1, InetAddress.getLoopbackAddress())) {
            assertThat(socket.isBound()).isTrue();
        }
        Awaitility.await("threads of the application are gone").atMost(WAIT).untilAsserted(() -> assertThat(
                        server.threads())
                .noneMatch(name -> name.matches(
                        "barnabas-.*|grpc-.*|globalEventExecutor.*|1@group-.*|1-.*|H2-.*" + "|MVStore.*")));
        // Every loader of the archive hangs on one of these two. Finalisers come before the last collection.
        Awaitility.await("no class loader stays").atMost(WAIT).untilAsserted(() -> assertThat(
                        server.instances("EarClassLoader", "EarLibClassLoader"))
                .isZero());
    }

    private String bootstrap() {
        return "127.0.0.1:" + kafkaPort;
    }

    private void write(List<String> written, String value) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap(), "acks", "all"),
                new StringSerializer(),
                new StringSerializer())) {
            producer.send(new ProducerRecord<>(TOPIC, 0, null, value)).get(60, TimeUnit.SECONDS);
            written.add(value);
        }
    }

    private List<String> read(int count) {
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrap(),
                        "group.id",
                        "readers-" + count,
                        "auto.offset.reset",
                        "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
                consumer.poll(Duration.ofMillis(500)).forEach(record -> values.add(record.value()));
                return values.size() >= count;
            });
        }
        return values;
    }

    /** Without an idle connection afterwards, which would be counted as a socket that stays. */
    private static int status(String address) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(address).toURL().openConnection();
        connection.setRequestProperty("Connection", "close");
        try {
            return connection.getResponseCode();
        } finally {
            connection.disconnect();
        }
    }
}
