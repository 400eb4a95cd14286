package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever steers traffic by /health/ready never steers it to a broker that does not answer clients yet. */
class ReadinessTest {
    private static final String TOPIC = "recovered";
    private static final int READY = 200;
    private static final int NOT_READY = 503;
    private static final int NO_ANSWER = 0;
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    @Test
    void a_broker_that_recovers_is_not_ready_before_it_answers_clients(@TempDir Path dir) throws Exception {
        try (BarnabasProcess broker = BarnabasProcess.start(dir.resolve("data"))) {
            // Given data that a kill leaves to be recovered
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
                admin.createTopics(List.of(new NewTopic(TOPIC, 3, (short) 1)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
            }
            try (AcknowledgedLoad load = new AcknowledgedLoad(broker.bootstrap(), TOPIC, 3)) {
                load.awaitMore(20_000);
                broker.kill();
                // When it starts again, and is asked from the first moment on
                broker.launch();
                Set<Integer> refusals = new TreeSet<>();
                Awaitility.await("readiness; output:\n" + broker.output())
                        .atMost(Duration.ofSeconds(180))
                        .pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(20))
                        .until(() -> {
                            int status = readiness(broker);
                            if (status != READY) {
                                refusals.add(status);
                            }
                            return status == READY;
                        });
                // Then a client that comes upon the first word of readiness is answered, a moment later at the latest
                assertThat(answersApiVersions(broker))
                        .as("ApiVersions answered once ready")
                        .isTrue();
                // And until then whoever asked was told so in the usual way, or found the port closed
                assertThat(refusals)
                        .as("answers before it was ready")
                        .isNotEmpty()
                        .isSubsetOf(NO_ANSWER, NOT_READY);
            }
        }
    }

    /** The status of /health/ready, or {@link #NO_ANSWER} while nothing answers HTTP. */
    private static int readiness(BarnabasProcess broker) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(broker.http() + "/health/ready"))
                .timeout(Duration.ofSeconds(10))
                .build();
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException notYet) {
            return NO_ANSWER;
        }
    }

    private static boolean answersApiVersions(BarnabasProcess broker) throws IOException {
        byte[] frame = ByteBuffer.allocate(10) // version 0 of it has no body
                .putShort(ApiKeys.API_VERSIONS.id)
                .putShort((short) 0)
                .putInt(1)
                .putShort((short) -1)
                .array();
        Exchange exchange = Exchange.of(broker.kafkaPort(), frame);
        return exchange.outcome() == Exchange.Outcome.ANSWERED
                && exchange.answer().getShort(4) == 0;
    }
}
