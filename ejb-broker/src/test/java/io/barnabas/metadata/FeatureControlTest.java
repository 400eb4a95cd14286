package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.Controller.Decision;
import java.util.Map;
import org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** Changes of feature levels (KIP-584). */
@NullUnmarked
class FeatureControlTest {
    private static ApiError update(String feature, int level, UpgradeType type) {
        UpdateFeaturesRequestData request = new UpdateFeaturesRequestData();
        request.featureUpdates()
                .add(new FeatureUpdateKey()
                        .setFeature(feature)
                        .setMaxVersionLevel((short) level)
                        .setUpgradeType(type.code()));
        try (TestCluster cluster = new TestCluster(Map.of(), Map.of())) {
            Decision<ApiError> decision =
                    new FeatureControl(1, 1, FeatureControl.SUPPORTED).update(cluster.image(), request);
            assertThat(decision.records()).as("kraft.version is in no record").isEmpty();
            return decision.answer().apply(cluster.image());
        }
    }

    @Test
    void votersCanBeChangedAlwaysSoThatTheirFeatureStaysWhereItIs() {
        assertThat(update("kraft.version", 1, UpgradeType.UPGRADE)).isEqualTo(ApiError.NONE);

        ApiError down = update("kraft.version", 0, UpgradeType.SAFE_DOWNGRADE);
        assertThat(down.error()).isEqualTo(Errors.INVALID_UPDATE_VERSION);
        assertThat(down.message()).endsWith("Can't downgrade the version of this feature.");
        assertThat(update("kraft.version", 0, UpgradeType.UPGRADE).message())
                .contains("without setting the upgrade type");
        assertThat(update("kraft.version", 2, UpgradeType.UPGRADE).message()).contains("only supports versions 0-1");
    }
}
