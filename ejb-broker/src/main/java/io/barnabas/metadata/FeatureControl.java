package io.barnabas.metadata;

import io.barnabas.metadata.BrokerImage.FeatureRange;
import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.jspecify.annotations.Nullable;

/** The rule of changing feature levels (KIP-584): all of a request's changes are made, or none. Pure. */
public final class FeatureControl {
    /** Name of the feature that consumer groups are gated by (KIP-848). */
    public static final String GROUP_VERSION = "group.version";
    /** Level of {@link #GROUP_VERSION} from which on there are consumer groups. */
    public static final short GROUP_VERSION_LEVEL = 1;
    /** Name of the feature of transactions (KIP-890): 1 for flexible records, 2 for a new epoch with each transaction. */
    public static final String TRANSACTION_VERSION = "transaction.version";
    /** Level of {@link #TRANSACTION_VERSION} that a new cluster begins with, and the highest. */
    public static final short TRANSACTION_VERSION_LEVEL = 2;

    /** Name of the feature of voters that can be added and removed (KIP-853). Here they always can: no record says so. */
    public static final String KRAFT_VERSION = "kraft.version";
    /** Level of {@link #KRAFT_VERSION}, always. */
    public static final short KRAFT_VERSION_LEVEL = 1;

    /** Level of {@link PartitionRules#ELIGIBLE_LEADERS} that a new cluster begins with, and the highest. */
    public static final short ELIGIBLE_LEADERS_LEVEL = 1;

    /** What this program can run with: no more than it really serves. */
    public static final Map<String, FeatureRange> SUPPORTED = Map.of(
            MetadataNodeSettings.METADATA_VERSION,
            new FeatureRange(MetadataNodeSettings.METADATA_VERSION_LEVEL, MetadataNodeSettings.METADATA_VERSION_LEVEL),
            GROUP_VERSION,
            new FeatureRange((short) 0, GROUP_VERSION_LEVEL),
            TRANSACTION_VERSION,
            new FeatureRange((short) 0, TRANSACTION_VERSION_LEVEL),
            KRAFT_VERSION,
            new FeatureRange((short) 0, KRAFT_VERSION_LEVEL),
            PartitionRules.ELIGIBLE_LEADERS,
            new FeatureRange((short) 0, ELIGIBLE_LEADERS_LEVEL));

    private static final FeatureRange DISABLED = new FeatureRange((short) 0, (short) 0);

    private final int nodeId;
    private final int minInSync;
    private final Map<String, FeatureRange> supported;

    /**
     * Rules of a node that can run with {@code supported}.
     *
     * @param minInSync {@code min.insync.replicas} of its file
     */
    public FeatureControl(int nodeId, int minInSync, Map<String, FeatureRange> supported) {
        this.nodeId = nodeId;
        this.minInSync = minInSync;
        this.supported = Map.copyOf(supported);
    }

    /** Changes levels; the answer is the first feature's error, or none. */
    public Decision<ApiError> update(MetadataImage image, UpdateFeaturesRequestData request) {
        List<ApiMessage> records = new ArrayList<>();
        for (FeatureUpdateKey update : request.featureUpdates()) {
            @Nullable String fault = fault(image, update);
            if (fault != null) {
                return Decision.unchanged(new ApiError(
                        Errors.INVALID_UPDATE_VERSION,
                        "Invalid update version " + update.maxVersionLevel() + " for feature " + update.feature() + ". "
                                + fault));
            }
            if (!update.feature().equals(KRAFT_VERSION)) {
                records.add(
                        new FeatureLevelRecord().setName(update.feature()).setFeatureLevel(update.maxVersionLevel()));
            }
            if (update.feature().equals(PartitionRules.ELIGIBLE_LEADERS) && update.maxVersionLevel() > 0) {
                PartitionRules.onEligibleLeadersBegin(image, minInSync, records);
            }
        }
        return Decision.of(request.validateOnly() ? List.of() : records, ApiError.NONE);
    }

    private @Nullable String fault(MetadataImage image, FeatureUpdateKey update) {
        short level = update.maxVersionLevel();
        UpgradeType type = UpgradeType.fromCode(update.upgradeType());
        if (type == UpgradeType.UNKNOWN) {
            return "The controller does not support the given upgrade type.";
        }
        if (level < 0) {
            return "A feature version cannot be less than 0.";
        }
        @Nullable
        String unsupported =
                unsupported("Local controller " + nodeId, supported.getOrDefault(update.feature(), DISABLED), level);
        for (BrokerImage broker : image.brokers()) {
            if (unsupported == null) {
                FeatureRange range = broker.features().getOrDefault(update.feature(), DISABLED);
                unsupported = unsupported("Broker " + broker.id(), range, level);
            }
        }
        if (unsupported != null) {
            return unsupported;
        }
        boolean isKraft = update.feature().equals(KRAFT_VERSION);
        short present = isKraft ? KRAFT_VERSION_LEVEL : image.features().getOrDefault(update.feature(), (short) 0);
        if (level < present && type == UpgradeType.UPGRADE) {
            return "Can't downgrade the version of this feature without setting the upgrade type to either safe or "
                    + "unsafe downgrade.";
        }
        if (level > present && type != UpgradeType.UPGRADE) {
            return "Can't downgrade to a newer version.";
        }
        if (isKraft && level < present) {
            return "Can't downgrade the version of this feature.";
        }
        return update.feature().equals(PartitionRules.ELIGIBLE_LEADERS) && level == 0 ? needed(image) : null;
    }

    /** Who may lead a partition without in-sync replicas is known by this feature alone: without it nobody ever would. */
    private static @Nullable String needed(MetadataImage image) {
        for (TopicImage topic : image.topics()) {
            for (PartitionImage partition : topic.partitions()) {
                if (partition.isr().isEmpty()) {
                    return "Partition " + topic.name() + "-" + partition.partition()
                            + " has no in-sync replica, and would have no leader ever without its eligible leader "
                            + "replicas; bring back one of its brokers first.";
                }
            }
        }
        return null;
    }

    private static @Nullable String unsupported(String who, FeatureRange range, short level) {
        if (range.contains(level)) {
            return null;
        }
        return range.max() == 0
                ? who + " does not support this feature."
                : who + " only supports versions " + range.min() + "-" + range.max();
    }
}
