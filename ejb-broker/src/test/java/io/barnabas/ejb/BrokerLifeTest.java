package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.Controller.Decision;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.jpa.MetadataEntities;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Start, stop and end of a whole broker. */
@NullUnmarked
class BrokerLifeTest {
    private static void awaitEntities(EmbeddedBroker broker) {
        broker.node().openEntities();
        MetadataEntities entities = broker.node().entities();
        await().atMost(60, TimeUnit.SECONDS).until(() -> entities.lastApplied() >= 0 && entities.lag() == 0);
    }

    @Test
    void theEntitiesGoOnWhereTheyWereAfterAnOrderlyRestart() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start()) {
            // Given
            try (Admin admin = broker.admin()) {
                admin.createTopics(List.of(new NewTopic("a", 3, (short) 1)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
            }
            awaitEntities(broker);
            assertThat(broker.node().entities().timesRebuilt()).isEqualTo(1);
            // When
            broker.restart();
            awaitEntities(broker);
            // Then
            assertThat(broker.node().entities().timesRebuilt()).isZero();
            assertThat(broker.node().entities().timesRemade()).isZero();
        }
    }

    @Test
    void anEntryThatCannotBeAppliedEndsTheServing() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start()) {
            // When
            broker.node()
                    .metadata()
                    .controller()
                    .submit(
                            "bad",
                            image -> Decision.of(
                                    List.of(new PartitionChangeRecord()
                                            .setTopicId(new Uuid(9, 9))
                                            .setPartitionId(0)),
                                    true));
            // Then
            await().until(() -> !broker.failures().isEmpty());
            assertThat(broker.failures()).hasSize(1);
            Map<String, Object> config = new HashMap<>(broker.clientConfig());
            config.put("request.timeout.ms", "1000");
            config.put("default.api.timeout.ms", "2000");
            try (Admin admin = Admin.create(config)) {
                assertThatThrownBy(() -> admin.listTopics().names().get(30, TimeUnit.SECONDS))
                        .hasMessageContaining("Timed out");
            }
        }
    }

    @Test
    void aPortThatTheSystemChoseIsWhatClientsAreTold() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("listeners", "PLAINTEXT://127.0.0.1:0"))) {
            // Given
            int bound = broker.node().port().boundPort("PLAINTEXT");
            // Then
            BrokerImage self =
                    broker.node().metadata().metadata().image().broker(1).orElseThrow();
            assertThat(self.fenced()).isFalse();
            assertThat(self.endpoints()).extracting(BrokerImage.Endpoint::port).containsExactly(bound);
        }
    }

    @Test
    void theOffsetsTopicIsMadeWhateverSegmentSizeIsConfiguredForIt() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("offsets.topic.segment.bytes", "1000"));
                Admin admin = broker.admin()) {
            admin.listConsumerGroupOffsets("g").partitionsToOffsetAndMetadata().get(30, TimeUnit.SECONDS);
            assertThat(admin.describeTopics(List.of("__consumer_offsets"))
                            .allTopicNames()
                            .get(30, TimeUnit.SECONDS)
                            .get("__consumer_offsets")
                            .partitions())
                    .hasSize(4);
        }
    }

    @Test
    void aDirectoryThatIsPutBackFromAnOldCopyDoesNotCountAsCleanlyStopped() throws Exception {
        Path second = Files.createTempDirectory("barnabas-second");
        Path first = Files.createTempDirectory("barnabas-first");
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("log.dirs", first + "," + second))) {
            // Given
            try (Admin admin = broker.admin()) {
                admin.createTopics(List.of(new NewTopic("a", 2, (short) 1)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
            }
            broker.stop();
            Path mark = second.resolve(".kafka_cleanshutdown");
            byte[] old = Files.readAllBytes(mark);
            // When both directories were left in order, then one has an older life's mark, then both have the same
            // again
            broker.startAgain();
            assertThat(leaderEpochs(broker)).containsOnly(0);
            broker.stop();
            Files.write(mark, old);
            broker.startAgain();
            // Then records may be missing, and what is led is led in a new epoch
            assertThat(leaderEpochs(broker)).containsOnly(1);
            broker.restart();
            assertThat(leaderEpochs(broker)).containsOnly(1);
        } finally {
            EmbeddedBroker.delete(first);
            EmbeddedBroker.delete(second);
        }
    }

    private static List<Integer> leaderEpochs(EmbeddedBroker broker) {
        return broker.node().metadata().metadata().image().topic("a").partitions().stream()
                .map(PartitionImage::leaderEpoch)
                .toList();
    }
}
