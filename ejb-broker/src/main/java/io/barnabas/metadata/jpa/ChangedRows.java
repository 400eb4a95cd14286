package io.barnabas.metadata.jpa;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.FenceBrokerRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.metadata.UnfenceBrokerRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Which rows a run of committed records touches. What the rows are to say is read from the image after the last of them, so that the
 * meaning of a record is told in one place only; and rows that changed ten times are written once. No larger than the metadata.
 */
final class ChangedRows {
    final Map<Uuid, Set<Integer>> partitions = new HashMap<>();
    final Set<Uuid> topics = new HashSet<>();
    final Set<ConfigResource> configs = new HashSet<>();
    final Set<String> features = new HashSet<>();
    final Set<Integer> brokers = new HashSet<>();

    void add(List<ApiMessage> records) {
        records.forEach(this::add);
    }

    private void add(ApiMessage record) {
        switch (MetadataRecordType.fromId(record.apiKey())) {
            case TOPIC_RECORD -> topics.add(((TopicRecord) record).topicId());
            case REMOVE_TOPIC_RECORD -> topics.add(((RemoveTopicRecord) record).topicId());
            case PARTITION_RECORD -> {
                PartitionRecord r = (PartitionRecord) record;
                topics.add(r.topicId());
                addPartition(r.topicId(), r.partitionId());
            }
            case PARTITION_CHANGE_RECORD -> {
                PartitionChangeRecord r = (PartitionChangeRecord) record;
                addPartition(r.topicId(), r.partitionId());
            }
            case CONFIG_RECORD -> {
                ConfigRecord r = (ConfigRecord) record;
                configs.add(new ConfigResource(ConfigResource.Type.forId(r.resourceType()), r.resourceName()));
            }
            case FEATURE_LEVEL_RECORD -> features.add(((FeatureLevelRecord) record).name());
            case REGISTER_BROKER_RECORD -> brokers.add(((RegisterBrokerRecord) record).brokerId());
            case UNREGISTER_BROKER_RECORD -> brokers.add(((UnregisterBrokerRecord) record).brokerId());
            case FENCE_BROKER_RECORD -> brokers.add(((FenceBrokerRecord) record).id());
            case UNFENCE_BROKER_RECORD -> brokers.add(((UnfenceBrokerRecord) record).id());
            case BROKER_REGISTRATION_CHANGE_RECORD -> brokers.add(((BrokerRegistrationChangeRecord) record).brokerId());
            default -> {
                // Producer ids are part of the position, which is always written; a no-op touches nothing.
            }
        }
    }

    private void addPartition(Uuid topicId, int partition) {
        partitions.computeIfAbsent(topicId, id -> new HashSet<>()).add(partition);
    }
}
