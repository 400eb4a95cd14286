package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * An image as the records that make it: what a snapshot holds, and what the entities are rebuilt from. In a fixed order, so that equal
 * images give equal snapshots on every node.
 */
public final class ImageRecords {
    private ImageRecords() {}

    /** Records that, replayed on an empty image, give {@code image}. */
    public static List<ApiMessage> of(MetadataImage image) {
        List<ApiMessage> records = new ArrayList<>();
        image.features().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(f ->
                        records.add(new FeatureLevelRecord().setName(f.getKey()).setFeatureLevel(f.getValue())));
        image.brokers().stream()
                .sorted(Comparator.comparingInt(BrokerImage::id))
                .forEach(broker -> records.add(record(broker)));
        image.topics().stream()
                .sorted(Comparator.comparing(TopicImage::name))
                .forEach(topic -> addTopic(topic, records));
        image.configResources().stream()
                .sorted(Comparator.comparing(ConfigResource::type).thenComparing(ConfigResource::name))
                .forEach(resource -> addConfig(resource, image.config(resource), records));
        if (image.nextProducerId() > 0) {
            records.add(new ProducerIdsRecord()
                    .setBrokerId(-1)
                    .setBrokerEpoch(-1)
                    .setNextProducerId(image.nextProducerId()));
        }
        return records;
    }

    private static RegisterBrokerRecord record(BrokerImage broker) {
        RegisterBrokerRecord record = new RegisterBrokerRecord()
                .setBrokerId(broker.id())
                .setBrokerEpoch(broker.epoch())
                .setIncarnationId(broker.incarnationId())
                .setRack(broker.rack())
                .setFenced(broker.fenced())
                .setInControlledShutdown(broker.inControlledShutdown())
                .setLogDirs(broker.logDirs())
                .setCordonedLogDirs(broker.cordonedDirs());
        return presented(record, broker.endpoints(), broker.features());
    }

    /** Fills in where a broker is reached and what it supports. */
    static RegisterBrokerRecord presented(
            RegisterBrokerRecord record,
            List<BrokerImage.Endpoint> endpoints,
            Map<String, BrokerImage.FeatureRange> features) {
        endpoints.forEach(e -> record.endPoints()
                .add(new RegisterBrokerRecord.BrokerEndpoint()
                        .setName(e.listener())
                        .setHost(e.host())
                        .setPort(e.port())
                        .setSecurityProtocol(e.securityProtocol())));
        features.forEach((name, range) -> record.features()
                .add(new RegisterBrokerRecord.BrokerFeature()
                        .setName(name)
                        .setMinSupportedVersion(range.min())
                        .setMaxSupportedVersion(range.max())));
        return record;
    }

    private static void addTopic(TopicImage topic, List<ApiMessage> records) {
        records.add(new TopicRecord().setName(topic.name()).setTopicId(topic.id()));
        for (PartitionImage partition : topic.partitions()) {
            records.add(new PartitionRecord()
                    .setTopicId(topic.id())
                    .setPartitionId(partition.partition())
                    .setLeader(partition.leader())
                    .setLeaderEpoch(partition.leaderEpoch())
                    .setPartitionEpoch(partition.partitionEpoch())
                    .setReplicas(partition.replicas())
                    .setIsr(partition.isr())
                    .setEligibleLeaderReplicas(partition.elr())
                    .setLastKnownElr(partition.lastKnownElr())
                    .setAddingReplicas(partition.addingReplicas())
                    .setRemovingReplicas(partition.removingReplicas())
                    .setLeaderRecoveryState(
                            partition.recovering() ? PartitionReplay.RECOVERING : PartitionReplay.RECOVERED)
                    .setDirectories(partition.directories()));
        }
    }

    private static void addConfig(ConfigResource resource, Map<String, String> settings, List<ApiMessage> records) {
        settings.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(setting -> records.add(new ConfigRecord()
                        .setResourceType(resource.type().id())
                        .setResourceName(resource.name())
                        .setName(setting.getKey())
                        .setValue(setting.getValue())));
    }
}
