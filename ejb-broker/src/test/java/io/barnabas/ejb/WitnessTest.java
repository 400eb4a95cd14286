package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.Node;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two brokers and a third node that only votes. */
@Timeout(180)
class WitnessTest {
    private static final int WITNESS = 3;

    private final List<EmbeddedBroker> nodes = new ArrayList<>();

    private void start() throws Exception {
        int[] ports = freePorts(3 * WITNESS);
        String voters = IntStream.range(0, WITNESS)
                .mapToObj(i -> (i + 1) + "@127.0.0.1:" + ports[i])
                .collect(Collectors.joining(","));
        List<CompletableFuture<EmbeddedBroker>> starting = new ArrayList<>();
        for (int i = 0; i < WITNESS; i++) {
            Map<String, String> config = Map.of(
                    "node.id",
                    Integer.toString(i + 1),
                    "process.roles",
                    i + 1 == WITNESS ? "controller" : "broker,controller",
                    "listeners",
                    "PLAINTEXT://127.0.0.1:" + ports[WITNESS + i] + ",BROKER://127.0.0.1:" + ports[2 * WITNESS + i],
                    "listener.security.protocol.map",
                    "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT",
                    "inter.broker.listener.name",
                    "BROKER",
                    "controller.quorum.voters",
                    voters);
            starting.add(CompletableFuture.supplyAsync(
                    () -> EmbeddedBroker.start(config), task -> new Thread(task, "starting").start()));
        }
        for (CompletableFuture<EmbeddedBroker> node : starting) {
            nodes.add(node.get(100, TimeUnit.SECONDS));
        }
    }

    private static int[] freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        int port = 20_000 + (int) (ProcessHandle.current().pid() % 89) * 100;
        while (sockets.size() < count) {
            try {
                sockets.add(new ServerSocket(port++, 1, InetAddress.getLoopbackAddress()));
            } catch (IOException e) {
                continue; // taken
            }
        }
        int[] ports = sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        return ports;
    }

    @AfterEach
    void stop() {
        nodes.parallelStream().forEach(EmbeddedBroker::close);
    }

    private int controller(int node) {
        return nodes.get(node - 1).node().metadata().metadata().image().controllerId();
    }

    @Test
    void oneOfTwoBrokersGoesOnWithoutTheOtherAndNobodyTakesTheWitnessForABroker() throws Exception {
        // Given
        start();
        String bootstrap = "127.0.0.1:" + nodes.get(0).node().port().boundPort("PLAINTEXT");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
                assertThat(admin.describeCluster().nodes().get())
                        .extracting(Node::id)
                        .containsExactlyInAnyOrder(1, 2);
                assertThat(controller(1)).isBetween(1, 2);
                QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
                assertThat(quorum.voters()).hasSize(WITNESS);
            });
            admin.createTopics(List.of(new NewTopic("t", Map.of(0, List.of(2, 1)))))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            // When
            nodes.get(1).stop();
            // Then
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertThat(admin.describeTopics(List.of("t"))
                            .allTopicNames()
                            .get()
                            .get("t")
                            .partitions()
                            .get(0)
                            .leader()
                            .id())
                    .isEqualTo(1));
            admin.createTopics(List.of(new NewTopic("u", 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
            assertThat(controller(1)).isEqualTo(1);
        }
    }
}
