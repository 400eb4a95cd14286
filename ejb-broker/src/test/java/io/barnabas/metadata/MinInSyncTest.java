package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** While there are eligible leaders, the number that must be in sync is one for the cluster (KIP-966). */
@NullUnmarked
class MinInSyncTest {
    private static final String KEY = "min.insync.replicas";
    private static final ConfigResource ALL = new ConfigResource(ConfigResource.Type.BROKER, "");
    private static final ConfigResource ONE = new ConfigResource(ConfigResource.Type.BROKER, "2");

    private static ConfigRecord record(ConfigResource resource, String value) {
        return new ConfigRecord()
                .setResourceType(resource.type().id())
                .setResourceName(resource.name())
                .setName(KEY)
                .setValue(value);
    }

    private static ApiError enable(TestCluster cluster) {
        return set(cluster, 1, FeatureUpdate.UpgradeType.UPGRADE);
    }

    private static ApiError set(TestCluster cluster, int level, FeatureUpdate.UpgradeType type) {
        UpdateFeaturesRequestData request = new UpdateFeaturesRequestData();
        request.featureUpdates()
                .add(new UpdateFeaturesRequestData.FeatureUpdateKey()
                        .setFeature(PartitionRules.ELIGIBLE_LEADERS)
                        .setMaxVersionLevel((short) level)
                        .setUpgradeType(type.code()));
        FeatureControl features = new FeatureControl(1, 2, FeatureControl.SUPPORTED);
        return cluster.controller
                .submit("f", image -> features.update(image, request))
                .join();
    }

    private static Errors alter(TestCluster cluster, ConfigResource resource, AlterConfigOp.OpType type, String value) {
        ConfigControl configs = new ConfigControl(cluster.config, Policies.NONE);
        var changes = Map.of(resource, Map.of(KEY, new ConfigControl.Alteration(type, value)));
        return cluster.controller
                .submit("c", image -> configs.incremental(image, changes, false))
                .join()
                .get(resource)
                .error();
    }

    @Test
    void beginsWithTheFilesNumberForAllAndEndsThoseOfSingleBrokers() {
        // Given
        try (TestCluster cluster = new TestCluster(Map.of(), Map.of())) {
            cluster.join(1);
            cluster.join(2);
            cluster.replay(List.of(record(ONE, "3")));
            // When
            assertThat(enable(cluster).isSuccess()).isTrue();
            // Then
            assertThat(cluster.image().config(ALL)).containsEntry(KEY, "2");
            assertThat(cluster.image().config(ONE)).doesNotContainKey(KEY);
        }
    }

    @Test
    void leavesTheClustersOwnNumberWhenItBegins() {
        // Given
        try (TestCluster cluster = new TestCluster(Map.of(), Map.of())) {
            cluster.replay(List.of(record(ALL, "5")));
            // When
            enable(cluster);
            // Then
            assertThat(cluster.image().config(ALL)).containsEntry(KEY, "5");
        }
    }

    @Test
    void endsWhoIsEligibleOnlyWhereItBecomesAnother() {
        // Given
        try (TestCluster cluster = TestCluster.ofThree()) {
            cluster.replay(List.of(record(ALL, "2")));
            cluster.topic("plain", 1, 2);
            cluster.topic("own", 1, 2);
            cluster.replay(List.of(record(new ConfigResource(ConfigResource.Type.TOPIC, "own"), "2")));
            cluster.kill(2);
            assertThat(cluster.partition("plain").elr()).containsExactly(2);
            // When
            alter(cluster, ALL, AlterConfigOp.OpType.SET, "2");
            // Then
            assertThat(cluster.partition("plain").elr()).containsExactly(2);
            // When
            alter(cluster, ALL, AlterConfigOp.OpType.SET, "1");
            // Then
            assertThat(cluster.partition("plain").elr()).isEmpty();
            assertThat(cluster.partition("own").elr()).containsExactly(2);
        }
    }

    @Test
    void canBeChangedForAllAndNeitherTakenAwayNorSetForOneBroker() {
        // Given
        try (TestCluster cluster = new TestCluster(Map.of(), Map.of())) {
            cluster.join(1);
            cluster.join(2);
            enable(cluster);
            // Then
            assertThat(alter(cluster, ALL, AlterConfigOp.OpType.SET, "1")).isEqualTo(Errors.NONE);
            assertThat(alter(cluster, ALL, AlterConfigOp.OpType.DELETE, "")).isEqualTo(Errors.INVALID_CONFIG);
            assertThat(alter(cluster, ONE, AlterConfigOp.OpType.SET, "1")).isEqualTo(Errors.INVALID_CONFIG);
            assertThat(alter(cluster, ONE, AlterConfigOp.OpType.DELETE, "")).isEqualTo(Errors.INVALID_CONFIG);
            ConfigControl configs = new ConfigControl(cluster.config, Policies.NONE);
            assertThat(cluster.controller
                            .submit("c", image -> configs.legacy(image, Map.of(ALL, Map.of()), false))
                            .join()
                            .get(ALL)
                            .error())
                    .isEqualTo(Errors.INVALID_CONFIG);
            assertThat(cluster.image().config(ALL)).containsEntry(KEY, "1");
        }
    }

    @Test
    void eligibleLeadersCannotBeGivenUpWhileAPartitionHasNobodyElse() {
        // Given
        try (TestCluster cluster = TestCluster.ofThree()) {
            cluster.replay(List.of(record(ALL, "2")));
            cluster.topic("t", 2, 3);
            cluster.kill(3);
            cluster.kill(2);
            assertThat(cluster.partition("t").isr()).isEmpty();
            // When
            ApiError refused = set(cluster, 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
            // Then
            assertThat(refused.error()).isEqualTo(Errors.INVALID_UPDATE_VERSION);
            assertThat(refused.message()).contains("t-0 has no in-sync replica");
            // When
            cluster.register(2, cluster.epoch(2));
            cluster.heartbeat(2);
            // Then
            assertThat(set(cluster, 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE).error())
                    .isEqualTo(Errors.NONE);
        }
    }
}
