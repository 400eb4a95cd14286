package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.barnabas.system.Workload;
import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.checker.Checker;
import io.barnabas.system.checker.History;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Three nodes of an older release become nodes of this one, one after another, while clients of every kind work: an idempotent producer with
 * a reader, and a {@link Workload} of groups and transactions. At the end the features are raised. The older release is the
 * {@code barnabas.jar} that {@code barnabas.old.jar} names; without one nothing is played.
 */
class RollingUpgradeTest {
    private static final Logger LOG = LoggerFactory.getLogger(RollingUpgradeTest.class);
    private static final String OLD = System.getProperty("barnabas.old.jar", "");
    private static final int RECORDS_PER_SECOND = 100;
    private static final long SEED = Long.getLong("cluster.seed", 1);

    /** Time between two stops in which nothing is to be seen. */
    private static final Duration CALM = Duration.ofSeconds(2);

    /** As of a rolling restart, on a machine that has nothing else to do. */
    private static final Duration LONGEST_GAP = Duration.ofSeconds(3);

    private static final int SLOWER = Integer.getInteger("cluster.slower", 2);

    @TempDir
    Path dir;

    @Test
    void nodes_of_an_older_release_become_nodes_of_this_one_and_clients_see_a_rolling_restart() throws Exception {
        assumeTrue(!OLD.isEmpty(), "no older release to begin with: name its jar with -Dbarnabas.old.jar=PATH");
        Product older = new BarnabasProduct(Workload.SETTINGS, Path.of(OLD));
        Product present = new BarnabasProduct(Workload.SETTINGS);
        try (Cluster cluster = Cluster.start(older, Network.loopback(), Set.of(), dir, 3)) {
            // Given an old cluster with data of every kind
            cluster.createTopic("upgrade", List.of(cluster.replicasLedBy(1)), Map.of("segment.ms", "3000"));
            Workload workload = new Workload(cluster.bootstrap(), SEED);
            workload.createTopics(cluster.nodes().size(), Map.of("min.insync.replicas", "2", "segment.ms", "5000"));
            workload.start();
            try (Load load = new Load(cluster.bootstrap(), "upgrade", RECORDS_PER_SECOND)) {
                load.awaitFlow(CALM);
                int before = load.times().count();
                // When each node is stopped in order and started as one of the present release
                for (Node node : cluster.nodes()) {
                    upgrade(cluster, node, present);
                    load.awaitFlow(CALM);
                }
                raiseFeatures(cluster);
                load.awaitFlow(CALM);
                workload.end();
                // Then
                Duration gap = load.times().longestGapSince(before);
                Verdict verdict = load.stop();
                LOG.info("rolling upgrade: {} longestGapMs={}", verdict, gap.toMillis());
                assertThat(verdict).matches(Verdict::flawless, "flawless");
                assertThat(gap).isLessThanOrEqualTo(LONGEST_GAP.multipliedBy(SLOWER));
                judge(workload);
                List<String> topics = new ArrayList<>(cluster.internalTopics());
                topics.add("upgrade");
                topics.addAll(Workload.TOPICS);
                assertThat(ReplicaFiles.differences(cluster, topics, ReplicaLog.Extent.WHOLE))
                        .isEmpty();
            }
        }
    }

    private static void upgrade(Cluster cluster, Node node, Product to) throws Exception {
        List<Place> places = cluster.nodes().stream().map(Node::place).toList();
        node.stop();
        node.willRun(to.command(node.place(), places));
        node.launch();
        cluster.awaitMembers(places.size(), Duration.ofSeconds(120));
        cluster.awaitInSync("upgrade");
    }

    /** What {@code kafka-features.sh upgrade} does, for all that the cluster can do now. */
    private static void raiseFeatures(Cluster cluster) throws Exception {
        FeatureMetadata now = features(cluster);
        Map<String, FeatureUpdate> raised = new HashMap<>();
        now.supportedFeatures().forEach((name, range) -> {
            var finalized = now.finalizedFeatures().get(name);
            if (finalized == null ? range.maxVersion() > 0 : finalized.maxVersionLevel() < range.maxVersion()) {
                raised.put(name, new FeatureUpdate(range.maxVersion(), FeatureUpdate.UpgradeType.UPGRADE));
            }
        });
        LOG.info("features before {} raised {}", now.finalizedFeatures(), raised);
        if (raised.isEmpty()) {
            return; // both releases can do the same
        }
        cluster.admin()
                .updateFeatures(raised, new UpdateFeaturesOptions())
                .all()
                .get(30, TimeUnit.SECONDS);
        FeatureMetadata after = features(cluster);
        raised.forEach(
                (name, update) -> assertThat(after.finalizedFeatures().get(name).maxVersionLevel())
                        .isEqualTo(update.maxVersionLevel()));
    }

    private static FeatureMetadata features(Cluster cluster) throws Exception {
        return cluster.admin().describeFeatures().featureMetadata().get(30, TimeUnit.SECONDS);
    }

    private static void judge(Workload workload) throws Exception {
        History history = workload.history();
        List<Anomaly> anomalies = Checker.check(history);
        assertThat(anomalies).as(workload.report(history, anomalies)).isEmpty();
        workload.assertProgress(history, RECORDS_PER_SECOND);
    }
}
