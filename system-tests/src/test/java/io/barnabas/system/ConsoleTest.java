package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The console in a real browser, and what stands beside it over HTTP: JSON, OpenAPI, metrics, health. */
class ConsoleTest {
    private static final String TOPIC = "seen";

    @TempDir
    static Path dir;

    static BarnabasProcess broker;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(dir.resolve("data"));
        JavaClientRoundTrip.run(broker.bootstrap(), TOPIC);
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void the_console_shows_broker_topics_and_groups_at_desktop_and_phone_width() throws Exception {
        Path chromium = Path.of("/usr/bin/chromium");
        assumeTrue(Files.isExecutable(chromium), "Chromium is not installed");
        Path js = Files.createDirectory(dir.resolve("js"));
        Path pictures = Files.createDirectories(Path.of("target/pictures"));
        ForeignClientsTest.run(
                "npm",
                "install",
                "--prefix",
                js.toString(),
                "--no-audit",
                "--no-fund",
                "--silent",
                "playwright-core@1.64.1");
        Path script = Files.copy(Path.of("src/test/clients/console.cjs"), js.resolve("console.cjs"));
        String printed = ForeignClientsTest.run(
                "node",
                script.toString(),
                broker.http(),
                TOPIC,
                TOPIC + "-readers",
                pictures.toAbsolutePath().toString());
        assertThat(printed).contains("ok");
    }

    @Test
    void json_has_the_broker_its_topics_and_groups() throws Exception {
        assertThat(get("/api/v1/overview")).contains("\"state\":\"serving\"").contains(broker.bootstrap());
        assertThat(get("/api/v1/topics")).contains("\"name\":\"" + TOPIC + "\"").contains("\"partitions\":3");
        assertThat(get("/api/v1/topics/" + TOPIC)).contains("\"highWatermark\":");
        assertThat(get("/api/v1/groups")).contains(TOPIC + "-readers");
        assertThat(get("/api/v1/groups/" + TOPIC + "-readers")).contains("\"lag\":0");
        assertThat(response("/api/v1/topics/no-such-topic").statusCode()).isEqualTo(404);
    }

    @Test
    void json_and_metrics_have_transactions() throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", broker.bootstrap(), "transactional.id", "seen-x");
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(TOPIC + "-x", "a")).get();
            assertThat(get("/api/v1/transactions"))
                    .contains("\"id\":\"seen-x\"", "\"state\":\"Ongoing\"", "\"partitions\":[\"" + TOPIC + "-x-0\"]");
            producer.commitTransaction();
        }
        Awaitility.await("a sample of the figures")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(get("/metrics"))
                        .contains("# HELP barnabas_transactions ", "# HELP barnabas_transactions_ended_total ")
                        .containsPattern("barnabas_transactions_ended_total\\{[^}]*result=\"commit\"[^}]*\\} [1-9]")
                        .containsPattern("barnabas_transactions\\{[^}]*state=\"CompleteCommit\"[^}]*\\} 1")
                        .containsPattern("barnabas_transactions\\{[^}]*state=\"Prepared\"[^}]*\\} 0")
                        .containsPattern("barnabas_transactions_timed_out_total\\S* 0")
                        .containsPattern(
                                "barnabas_transaction_end_latency_seconds\\{[^}]*quantile=\"0.99\"[^}]*\\} \\S*[1-9]")
                        .containsPattern("barnabas_transaction_markers_pending\\S* 0")
                        .containsPattern("barnabas_transaction_open_time_max_seconds\\S* 0"));
        assertThat(get("/transactions.xhtml")).contains("seen-x").contains("CompleteCommit");
    }

    @Test
    void openapi_describes_the_json() throws Exception {
        assertThat(get("/openapi")).contains("/api/v1/overview").contains("/api/v1/topics/{name}");
    }

    @Test
    void metrics_are_in_prometheus_form_with_help() {
        Awaitility.await("a sample of the figures")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(get("/metrics"))
                        .contains("# HELP barnabas_requests_total")
                        .containsPattern("barnabas_requests_total\\{[^}]*api=\"Produce\"[^}]*\\} [1-9]")
                        .containsPattern("barnabas_request_latency_seconds\\{[^}]*quantile=\"0.99\"")
                        .containsPattern("barnabas_topic_records_in_total\\{[^}]*topic=\"" + TOPIC + "\"[^}]*\\} 2500")
                        .containsPattern("barnabas_topic_bytes_in_total\\{[^}]*topic=\"" + TOPIC + "\"[^}]*\\} [1-9]")
                        .containsPattern("barnabas_group_lag_records\\{[^}]*group=\"" + TOPIC + "-readers\"[^}]*\\} 0")
                        .contains("barnabas_under_replicated_partitions")
                        .contains("barnabas_uncleanable_partitions")
                        .contains("barnabas_log_size_bytes")
                        .contains("memory_usedHeap_bytes"));
    }

    @Test
    void health_is_live_and_ready() throws Exception {
        assertThat(response("/health/live").statusCode()).isEqualTo(200);
        assertThat(response("/health/ready").statusCode()).isEqualTo(200);
        assertThat(get("/health/ready")).contains("UP");
    }

    private static String get(String path) throws Exception {
        HttpResponse<String> response = response(path);
        assertThat(response.statusCode()).as("%s: %s", path, response.body()).isEqualTo(200);
        return response.body();
    }

    private static HttpResponse<String> response(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(broker.http() + path))
                .timeout(Duration.ofSeconds(30))
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
