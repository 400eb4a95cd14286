package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.Node;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two brokers and a third node that only votes. */
@NullUnmarked
@Timeout(180)
class WitnessTest {
    private static final int WITNESS = 3;

    private EmbeddedCluster cluster;

    private void start() throws Exception {
        cluster = EmbeddedCluster.start(
                WITNESS, id -> Map.of("process.roles", id == WITNESS ? "controller" : "broker,controller"));
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private int controller(int node) {
        return cluster.nodes()
                .get(node - 1)
                .node()
                .metadata()
                .metadata()
                .image()
                .controllerId();
    }

    @Test
    void oneOfTwoBrokersGoesOnWithoutTheOtherAndNobodyTakesTheWitnessForABroker() throws Exception {
        // Given
        start();
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", cluster.bootstraps().get(0)))) {
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
            cluster.nodes().get(1).stop();
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
