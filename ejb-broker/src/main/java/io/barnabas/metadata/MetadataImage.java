package io.barnabas.metadata;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/** The immutable picture of the cluster's metadata at one index of the journal: read without a lock on the hot path. */
public interface MetadataImage {
    /** Index of the last journal entry in it; 0 if there is none. */
    long index();

    String clusterId();

    /** The controller's broker id, or -1. */
    int controllerId();

    Collection<TopicImage> topics();

    @Nullable
    TopicImage topic(String name);

    @Nullable
    TopicImage topic(Uuid id);

    Collection<BrokerImage> brokers();

    Optional<BrokerImage> broker(int id);

    /** What has been set for a resource (nothing of defaults); the broker resource with the empty name holds cluster-wide settings. */
    Map<String, String> config(ConfigResource resource);

    /** Resources with settings. */
    Collection<ConfigResource> configResources();

    /** Finalised feature levels by name. */
    Map<String, Short> features();

    /** The first producer id that has not been given to a broker yet. */
    long nextProducerId();

    /** Partition of a topic, or null if there is none. */
    default @Nullable PartitionImage partition(String topic, int partition) {
        TopicImage image = topic(topic);
        return image == null || partition < 0 || partition >= image.partitions().size()
                ? null
                : image.partitions().get(partition);
    }
}
