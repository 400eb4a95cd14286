package io.barnabas.metadata;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link MetadataNode} is opened with.
 *
 * @param directory for journal, snapshots and entities; not one of the directories for topics
 * @param self this node, and where the leader reaches it
 * @param clusterId the cluster's id if it has been given, else the directory's, else a new one
 * @param voters the nodes that order the metadata, as they are configured; several find out each other's directories
 * @param bootstrapFeatures feature levels that a new cluster begins with; {@code metadata.version} is one of them
 * @param minInSync {@code min.insync.replicas} that a new cluster begins with, for all its brokers
 * @param keys what nodes know each other by; null if they talk in the clear
 */
public record MetadataNodeSettings(
        Path directory,
        RatisSettings.Voter self,
        @Nullable String clusterId,
        List<RatisSettings.Voter> voters,
        Map<String, Short> bootstrapFeatures,
        int minInSync,
        RatisSettings.@Nullable Keys keys) {
    /** Name of the feature that every formatted cluster has. */
    public static final String METADATA_VERSION = "metadata.version";
    /** Level of {@link #METADATA_VERSION} in Kafka 4.4 (4.4-IV2). */
    public static final short METADATA_VERSION_LEVEL = 33;

    /**
     * A node of a cluster, with the features of a new one; an observer if it is none of the voters.
     *
     * @param self where the leader reaches this node
     * @param voters 1, 3 or 5
     */
    public static MetadataNodeSettings member(
            Path directory, RatisSettings.Voter self, List<RatisSettings.Voter> voters) {
        return new MetadataNodeSettings(
                directory,
                self,
                null,
                voters,
                oneNode(directory, self.nodeId(), null).bootstrapFeatures(),
                1,
                null);
    }

    int nodeId() {
        return self.nodeId();
    }

    /** Whether this node is the only voter. */
    boolean alone() {
        return voterIds().equals(List.of(nodeId()));
    }

    List<Integer> voterIds() {
        return voters.stream().map(RatisSettings.Voter::nodeId).toList();
    }

    MetadataNodeSettings withVoters(List<RatisSettings.Voter> others) {
        return new MetadataNodeSettings(directory, self, clusterId, others, bootstrapFeatures, minInSync, keys);
    }

    /** The same for a new cluster with another {@code min.insync.replicas}. */
    public MetadataNodeSettings withMinInSync(int number) {
        return new MetadataNodeSettings(directory, self, clusterId, voters, bootstrapFeatures, number, keys);
    }

    /** The same with TLS between nodes; null for none. */
    public MetadataNodeSettings securedBy(RatisSettings.@Nullable Keys keys) {
        return new MetadataNodeSettings(directory, self, clusterId, voters, bootstrapFeatures, minInSync, keys);
    }

    /** A node that is alone, with the features of a new cluster. */
    public static MetadataNodeSettings oneNode(Path directory, int nodeId, @Nullable String clusterId) {
        RatisSettings.Voter self = new RatisSettings.Voter(nodeId, "127.0.0.1", 0);
        return new MetadataNodeSettings(
                directory,
                self,
                clusterId,
                List.of(self),
                Map.of(
                        METADATA_VERSION,
                        METADATA_VERSION_LEVEL,
                        FeatureControl.GROUP_VERSION,
                        FeatureControl.GROUP_VERSION_LEVEL,
                        FeatureControl.TRANSACTION_VERSION,
                        FeatureControl.TRANSACTION_VERSION_LEVEL,
                        PartitionRules.ELIGIBLE_LEADERS,
                        FeatureControl.ELIGIBLE_LEADERS_LEVEL),
                1,
                null);
    }
}
