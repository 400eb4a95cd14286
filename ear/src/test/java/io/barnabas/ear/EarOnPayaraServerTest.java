package io.barnabas.ear;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
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
 * {@code barnabas.ear} on a full Payara Server: it serves, it goes with its port, threads and sockets, it comes again with its records.
 * Class loaders are not held to anything yet: from the second undeploy on, one stays.
 */
class EarOnPayaraServerTest {
    private static final String TOPIC = "letters";
    private static final int REDEPLOYMENTS = 3;

    private final int kafkaPort = PayaraServer.freePort();

    @Test
    void serves_and_goes_with_its_threads_and_sockets_and_comes_again_with_its_records() throws Exception {
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
                // idle connections of this test's own HTTP clients are closed by the server after half a minute
                Awaitility.await("no socket stays")
                        .atMost(Duration.ofSeconds(90))
                        .untilAsserted(() -> assertThat(server.openSockets()).isLessThanOrEqualTo(before));
            }
        }
    }

    private void assertGone(PayaraServer server) throws IOException {
        try (ServerSocket socket = new ServerSocket(kafkaPort, 1, InetAddress.getLoopbackAddress())) {
            assertThat(socket.isBound()).isTrue();
        }
        // The container's own thread for the end of a resource adapter waits a minute for more to do.
        Awaitility.await("threads of the application are gone")
                .atMost(Duration.ofSeconds(150))
                .pollInterval(Duration.ofSeconds(2))
                .untilAsserted(() -> {
                    assertThat(server.threads())
                            .noneMatch(name -> name.matches("barnabas-.*|grpc-.*|1@group-.*|1-.*|H2-.*|MVStore.*"));
                });
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

    private static int status(String address) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
