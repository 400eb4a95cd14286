package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import io.barnabas.time.SystemClock;
import io.barnabas.time.Ticker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NullUnmarked
class MetadataNodeTest {
    @TempDir
    Path directory;

    private final ExecutorService executor =
            new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final Ticker ticker = new ManualTicker(new ManualClock());
    private MetadataNode node;
    private Membership member;

    private MetadataNode open(String clusterId) throws Exception {
        node = MetadataNode.open(
                MetadataNodeSettings.oneNode(directory, 1, clusterId),
                Uuid::randomUuid,
                executor,
                Throwable::printStackTrace);
        node.ready().get(30, TimeUnit.SECONDS);
        member();
        return node;
    }

    private Membership opened() throws Exception {
        open(null);
        return member;
    }

    /** As after another start. */
    private Membership member() {
        if (member != null) {
            member.close();
        }
        LiveConfig config = new LiveConfig(BrokerConfig.of(Map.of()));
        ControllerService.Time time = new ControllerService.Time(new SystemClock(), ticker);
        ControllerService service = ControllerService.of(node, config, time);
        member = Membership.of(node.metadata(), config, service, new LocalChannel(service, ticker), time);
        return member;
    }

    @AfterEach
    void stop() {
        if (node != null) {
            member.close();
            node.close();
        }
        executor.shutdown();
    }

    private static BrokerRegistration.Presentation presentation(long cleanShutdownEpoch) {
        return new BrokerRegistration.Presentation(
                Uuid.randomUuid(),
                List.of(new BrokerImage.Endpoint("PLAINTEXT", "localhost", 9092, (short) 0)),
                null,
                List.of(new Uuid(7, 7)),
                FeatureControl.SUPPORTED,
                cleanShutdownEpoch);
    }

    @Test
    void formatsANewClusterOnceAndKeepsItsId() throws Exception {
        // Given
        String id = open(null).clusterId();
        long index = node.metadata().image().index();
        assertThat(node.metadata().image().features())
                .containsOnly(
                        Map.entry("metadata.version", (short) 33),
                        Map.entry("group.version", (short) 1),
                        Map.entry("transaction.version", (short) 2),
                        Map.entry("eligible.leader.replicas.version", (short) 1));
        assertThat(node.metadata().image().config(new ConfigResource(ConfigResource.Type.BROKER, "")))
                .containsOnly(Map.entry("min.insync.replicas", "1"));
        // When
        node.close();
        open(null);
        // Then
        assertThat(node.clusterId()).isEqualTo(id);
        assertThat(node.metadata().image().index()).isEqualTo(index);
    }

    @Test
    void registersWithAnEpochThatRisesAndServesWhenUnfenced() throws Exception {
        // Given
        long first = opened().registration().register(presentation(-1)).join();
        assertThat(node.metadata().image().broker(1).orElseThrow().fenced()).isTrue();
        member.registration().unfence().join();
        assertThat(node.metadata().image().broker(1).orElseThrow().fenced()).isFalse();
        // When
        node.close();
        open(null);
        long second = member.registration().register(presentation(first)).join();
        // Then
        BrokerImage broker = node.metadata().image().broker(1).orElseThrow();
        assertThat(second).isGreaterThan(first);
        assertThat(broker.epoch()).isEqualTo(second);
        assertThat(broker.features().get("metadata.version").contains((short) 33))
                .isTrue();
    }

    @Test
    void beginsNewLeaderEpochsAfterAnUncleanStopOnly() throws Exception {
        // Given
        long first = opened().registration().register(presentation(-1)).join();
        node.controller()
                .submit("t", image -> Controller.Decision.of(TestRecords.topic("a", Uuid.randomUuid(), 2), true))
                .join();
        // When
        long second = member().registration().register(presentation(first)).join();
        // Then
        assertThat(node.metadata().image().partition("a", 1).leaderEpoch()).isZero();
        // When
        member().registration().register(presentation(-1)).join();
        // Then
        assertThat(second).isGreaterThan(first);
        assertThat(node.metadata().image().partition("a", 1).leaderEpoch()).isEqualTo(1);
        // The first registration also gave the replica, which had none, the broker's only directory.
        assertThat(node.metadata().image().partition("a", 1).partitionEpoch()).isEqualTo(2);
        assertThat(node.metadata().image().partition("a", 1).directories())
                .isEqualTo(presentation(-1).logDirs());
    }

    @Test
    void leadsItsPartitionsAgainAfterItWasTakenOutOfTheCluster() throws Exception {
        // Given
        long first = opened().registration().register(presentation(-1)).join();
        node.controller()
                .submit("t", image -> Controller.Decision.of(TestRecords.topic("a", Uuid.randomUuid(), 2), true))
                .join();
        node.controller()
                .submit(
                        "u",
                        image -> BrokerRemoval.decide(
                                new PartitionRules(new LiveConfig(BrokerConfig.of(Map.of()))), image, 1))
                .join();
        assertThat(node.metadata().image().partition("a", 1).leader()).isNegative();
        // When
        node.close();
        open(null);
        long second = member.registration().register(presentation(first)).join();
        member.registration().unfence().join();
        // Then
        assertThat(node.metadata().image().partition("a", 0).leader()).isEqualTo(1);
        assertThat(node.metadata().image().partition("a", 1).leader()).isEqualTo(1);
    }

    @Test
    void givesEachProducerIdOnceAlsoAcrossARestart() throws Exception {
        // Given
        Set<Long> ids = new HashSet<>();
        opened().registration().register(presentation(-1)).join();
        // When
        for (int i = 0; i < 2_500; i++) {
            assertThat(ids.add(member.producerIds().next().join())).isTrue();
        }
        node.close();
        opened().registration().register(presentation(-1)).join();
        // Then
        assertThat(ids).doesNotContain(member.producerIds().next().join());
        assertThat(ids).contains(0L, 2_499L);
    }

    @Test
    void refusesADirectoryOfAnotherClusterOrInUseOrWithoutItsJournal() throws Exception {
        // Given
        open("a-cluster-id-of-my-own");
        // Then
        assertThatThrownBy(() -> MetadataNode.open(
                        MetadataNodeSettings.oneNode(directory, 1, null), Uuid::randomUuid, executor, e -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use by another broker");
        node.close();
        assertThatThrownBy(() -> MetadataNode.open(
                        MetadataNodeSettings.oneNode(directory, 1, "other"), Uuid::randomUuid, executor, e -> {}))
                .hasMessageContaining("cluster.id a-cluster-id-of-my-own");
        assertThatThrownBy(() -> MetadataNode.open(
                        MetadataNodeSettings.oneNode(directory, 2, null), Uuid::randomUuid, executor, e -> {}))
                .hasMessageContaining("node.id 1");
        // When
        Files.move(directory.resolve("raft"), directory.resolve("lost"));
        // Then
        assertThatThrownBy(() -> open(null)).hasMessageContaining("is gone");
    }

    @Test
    void answersTooLargeAChangeWithoutMakingIt() throws Exception {
        // Given
        open(null);
        FeatureLevelRecord record =
                new FeatureLevelRecord().setName("x".repeat(30_000)).setFeatureLevel((short) 1);
        // Then
        assertThatThrownBy(() -> node.controller()
                        .submit("t", image -> Controller.Decision.of(java.util.Collections.nCopies(300, record), 1))
                        .join())
                .hasMessageContaining("several steps");
        node.controller()
                .submit("t", image -> Controller.Decision.of(java.util.Collections.nCopies(270, record), 1))
                .join();
    }
}
