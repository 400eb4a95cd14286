package io.barnabas.metadata;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/**
 * The image that {@link MetadataDelta} makes by replaying records: maps that nobody changes any more, shared with the image before
 * where nothing changed.
 */
record ReplayedImage(
        long index,
        String clusterId,
        int controllerId,
        Map<String, TopicImage> topicsByName,
        Map<Uuid, TopicImage> topicsById,
        Map<Integer, BrokerImage> brokersById,
        Map<ConfigResource, Map<String, String>> configs,
        Map<String, Short> features,
        long nextProducerId)
        implements MetadataImage {
    /** An image of nothing. */
    static ReplayedImage empty(String clusterId) {
        return new ReplayedImage(
                0, clusterId, MetadataLog.NO_LEADER, Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), 0);
    }

    ReplayedImage withController(int id) {
        return new ReplayedImage(
                index, clusterId, id, topicsByName, topicsById, brokersById, configs, features, nextProducerId);
    }

    @Override
    public Collection<TopicImage> topics() {
        return topicsByName.values();
    }

    @Override
    public @Nullable TopicImage topic(String name) {
        return topicsByName.get(name);
    }

    @Override
    public @Nullable TopicImage topic(Uuid id) {
        return topicsById.get(id);
    }

    @Override
    public Collection<BrokerImage> brokers() {
        return brokersById.values();
    }

    @Override
    public Optional<BrokerImage> broker(int id) {
        return Optional.ofNullable(brokersById.get(id));
    }

    @Override
    public Map<String, String> config(ConfigResource resource) {
        return configs.getOrDefault(resource, Map.of());
    }

    @Override
    public Collection<ConfigResource> configResources() {
        return configs.keySet();
    }
}
