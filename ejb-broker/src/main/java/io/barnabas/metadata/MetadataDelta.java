package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * Records replayed on an image: the one place that changes metadata, at start-up as in operation. Reads nothing but the image, the
 * records and the index of their entry, so that every node gets the same image.
 *
 * <p>What no record touches is shared with the image before; a touched map is copied once for the whole delta, a touched topic's
 * partitions too. Comes after {@link MetadataEntry#decode}; its image goes to {@link ReplayedMetadata}. For one thread.
 */
final class MetadataDelta {
    private final ReplayedImage before;
    private final long index;
    private final BrokerDelta brokers;
    private final Map<Uuid, List<PartitionImage>> changedPartitions = new HashMap<>();
    private final Set<Uuid> changedTopics = new HashSet<>();
    private final Map<Uuid, TopicImage> deletedTopics = new HashMap<>();
    private final Set<ConfigResource> changedConfigs = new HashSet<>();
    private boolean featuresChanged;
    private Map<String, TopicImage> topicsByName;
    private Map<Uuid, TopicImage> topicsById;
    private Map<ConfigResource, Map<String, String>> configs;
    private Map<String, Short> features;
    private long nextProducerId;

    /**
     * @param index of the entry whose records are replayed
     */
    MetadataDelta(ReplayedImage before, long index) {
        this.before = before;
        this.index = index;
        this.brokers = new BrokerDelta(before.brokersById(), index);
        this.topicsByName = before.topicsByName();
        this.topicsById = before.topicsById();
        this.configs = before.configs();
        this.features = before.features();
        this.nextProducerId = before.nextProducerId();
    }

    /** Replays all of them, in order. */
    MetadataDelta replay(List<? extends ApiMessage> records) {
        records.forEach(this::replay);
        return this;
    }

    /**
     * Replays one record.
     *
     * @throws IllegalStateException if it does not fit the state, or is of a kind that this program does not know: a fault of whoever
     *     decided it, and no reason to guess
     */
    void replay(ApiMessage record) {
        switch (MetadataRecordType.fromId(record.apiKey())) {
            case TOPIC_RECORD -> replay((TopicRecord) record);
            case PARTITION_RECORD -> replay((PartitionRecord) record);
            case PARTITION_CHANGE_RECORD -> replay((PartitionChangeRecord) record);
            case REMOVE_TOPIC_RECORD -> replay((RemoveTopicRecord) record);
            case CONFIG_RECORD -> replay((ConfigRecord) record);
            case FEATURE_LEVEL_RECORD -> replay((FeatureLevelRecord) record);
            case PRODUCER_IDS_RECORD -> replay((ProducerIdsRecord) record);
            case REGISTER_BROKER_RECORD,
                    UNREGISTER_BROKER_RECORD,
                    FENCE_BROKER_RECORD,
                    UNFENCE_BROKER_RECORD,
                    BROKER_REGISTRATION_CHANGE_RECORD -> brokers.replay(record);
            case NO_OP_RECORD -> {}
            default -> throw new IllegalStateException("Metadata record of a kind not served: " + record.apiKey());
        }
    }

    private void replay(TopicRecord record) {
        check(!topicsByName.containsKey(record.name()), "topic exists", record);
        check(!topicsById.containsKey(record.topicId()), "topic id exists", record);
        TopicImage topic = new TopicImage(record.topicId(), record.name(), List.of());
        mutableTopicsByName().put(topic.name(), topic);
        mutableTopicsById().put(topic.id(), topic);
        changedTopics.add(topic.id());
    }

    private void replay(PartitionRecord record) {
        List<PartitionImage> partitions = mutablePartitions(record.topicId(), record);
        PartitionImage partition = PartitionReplay.image(record);
        if (record.partitionId() < partitions.size()) {
            partitions.set(record.partitionId(), partition);
        } else {
            check(record.partitionId() == partitions.size(), "partition out of order", record);
            partitions.add(partition);
        }
    }

    private void replay(PartitionChangeRecord record) {
        List<PartitionImage> partitions = mutablePartitions(record.topicId(), record);
        check(record.partitionId() >= 0 && record.partitionId() < partitions.size(), "no such partition", record);
        partitions.set(record.partitionId(), PartitionReplay.changed(partitions.get(record.partitionId()), record));
    }

    private void replay(RemoveTopicRecord record) {
        TopicImage topic = existing(topicsById.get(record.topicId()), "no such topic", record);
        mutableTopicsByName().remove(topic.name());
        mutableTopicsById().remove(topic.id());
        changedPartitions.remove(topic.id());
        changedTopics.remove(topic.id());
        TopicImage known = before.topicsById().get(topic.id());
        if (known != null) {
            deletedTopics.put(topic.id(), known);
        }
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
        if (configs.containsKey(resource)) {
            mutableConfigs().remove(resource);
            changedConfigs.add(resource);
        }
    }

    private void replay(ConfigRecord record) {
        ConfigResource resource =
                new ConfigResource(ConfigResource.Type.forId(record.resourceType()), record.resourceName());
        Map<String, String> settings = new TreeMap<>(configs.getOrDefault(resource, Map.of()));
        if (record.value() == null) {
            settings.remove(record.name());
        } else {
            settings.put(record.name(), record.value());
        }
        if (settings.isEmpty()) {
            mutableConfigs().remove(resource);
        } else {
            mutableConfigs().put(resource, Collections.unmodifiableMap(settings));
        }
        changedConfigs.add(resource);
    }

    private void replay(FeatureLevelRecord record) {
        Map<String, Short> levels = new TreeMap<>(features);
        if (record.featureLevel() == 0) {
            levels.remove(record.name());
        } else {
            levels.put(record.name(), record.featureLevel());
        }
        features = Collections.unmodifiableMap(levels);
        featuresChanged = true;
    }

    private void replay(ProducerIdsRecord record) {
        check(record.nextProducerId() >= nextProducerId, "producer ids go back", record);
        nextProducerId = record.nextProducerId();
    }

    /** The image with the records in it. The delta is of no more use then. */
    ReplayedImage image() {
        changedPartitions.forEach((id, partitions) -> {
            TopicImage topic = topicsById.get(id);
            if (topic != null) {
                TopicImage changed = new TopicImage(id, topic.name(), List.copyOf(partitions));
                mutableTopicsByName().put(topic.name(), changed);
                mutableTopicsById().put(id, changed);
            }
        });
        return new ReplayedImage(
                index,
                before.clusterId(),
                before.controllerId(),
                topicsByName,
                topicsById,
                brokers.brokers(),
                configs,
                features,
                nextProducerId);
    }

    /** What differs from the image before. */
    Metadata.Change change() {
        return new Metadata.Change(
                Set.copyOf(changedTopics),
                Set.copyOf(deletedTopics.values()),
                Set.copyOf(changedConfigs),
                brokers.changed(),
                featuresChanged);
    }

    private List<PartitionImage> mutablePartitions(Uuid topicId, ApiMessage record) {
        List<PartitionImage> partitions = changedPartitions.get(topicId);
        if (partitions == null) {
            TopicImage topic = existing(topicsById.get(topicId), "no such topic", record);
            partitions = new ArrayList<>(topic.partitions());
            changedPartitions.put(topicId, partitions);
            changedTopics.add(topicId);
        }
        return partitions;
    }

    private Map<String, TopicImage> mutableTopicsByName() {
        if (topicsByName == before.topicsByName()) {
            topicsByName = new HashMap<>(topicsByName);
        }
        return topicsByName;
    }

    private Map<Uuid, TopicImage> mutableTopicsById() {
        if (topicsById == before.topicsById()) {
            topicsById = new HashMap<>(topicsById);
        }
        return topicsById;
    }

    private Map<ConfigResource, Map<String, String>> mutableConfigs() {
        if (configs == before.configs()) {
            configs = new HashMap<>(configs);
        }
        return configs;
    }

    static void check(boolean holds, String fault, ApiMessage record) {
        if (!holds) {
            throw new IllegalStateException("Metadata record does not fit: " + fault + ": " + record);
        }
    }

    static <T> T existing(@Nullable T thing, String fault, ApiMessage record) {
        check(thing != null, fault, record);
        return Objects.requireNonNull(thing);
    }
}
