package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.FenceBrokerRecord;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.metadata.UnfenceBrokerRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/** Random commands by seed: each gives records that fit the image it is asked with, of every kind that is served. */
public final class RandomMetadata {
    private static final int BROKERS = 4;

    private final Random random;

    public RandomMetadata(long seed) {
        this.random = new Random(seed);
    }

    /** The records of one command, one to a few dozen. */
    public List<ApiMessage> next(MetadataImage image) {
        List<TopicImage> topics = image.topics().stream()
                .sorted((a, b) -> a.name().compareTo(b.name()))
                .toList();
        return switch (random.nextInt(10)) {
            case 0, 1 -> create(image);
            case 2, 3, 4 -> topics.isEmpty() ? create(image) : change(topics.get(random.nextInt(topics.size())));
            case 5 ->
                topics.isEmpty() ? create(image) : removeAndMaybeRecreate(topics.get(random.nextInt(topics.size())));
            case 6 -> configs(topics);
            case 7 ->
                List.of(new FeatureLevelRecord()
                        .setName("feature." + random.nextInt(4))
                        .setFeatureLevel((short) random.nextInt(3)));
            case 8 -> broker(image);
            default ->
                List.of(new ProducerIdsRecord().setNextProducerId(image.nextProducerId() + random.nextInt(1000)));
        };
    }

    private Uuid id() {
        return new Uuid(random.nextLong(), random.nextLong());
    }

    private List<ApiMessage> create(MetadataImage image) {
        String name = "topic-" + random.nextInt(1000);
        return image.topic(name) != null ? List.of() : topic(name);
    }

    private List<ApiMessage> topic(String name) {
        List<ApiMessage> records = new ArrayList<>();
        Uuid id = id();
        records.add(new TopicRecord().setName(name).setTopicId(id));
        int partitions = 1 + random.nextInt(12);
        for (int i = 0; i < partitions; i++) {
            List<Integer> replicas = replicas();
            records.add(new PartitionRecord()
                    .setTopicId(id)
                    .setPartitionId(i)
                    .setReplicas(replicas)
                    .setIsr(replicas)
                    .setLeader(replicas.get(0))
                    .setLeaderEpoch(0)
                    .setPartitionEpoch(0)
                    .setDirectories(replicas.stream().map(r -> id()).toList()));
        }
        return records;
    }

    private List<Integer> replicas() {
        return IntStream.rangeClosed(1, 1 + random.nextInt(BROKERS)).boxed().toList();
    }

    private List<ApiMessage> change(TopicImage topic) {
        List<ApiMessage> records = new ArrayList<>();
        for (PartitionImage partition : topic.partitions()) {
            if (random.nextBoolean()) {
                PartitionChangeRecord record =
                        new PartitionChangeRecord().setTopicId(topic.id()).setPartitionId(partition.partition());
                switch (random.nextInt(4)) {
                    case 0 ->
                        record.setLeader(random.nextInt(BROKERS) - 1)
                                .setLeaderRecoveryState((byte) (random.nextInt(3) - 1));
                    case 1 ->
                        record.setIsr(List.of(1))
                                .setEligibleLeaderReplicas(List.of(2))
                                .setLastKnownElr(List.of(3));
                    case 2 ->
                        record.setReplicas(replicas())
                                .setAddingReplicas(List.of(2))
                                .setRemovingReplicas(List.of(3));
                    default ->
                        record.setIsr(partition.replicas())
                                .setAddingReplicas(List.of())
                                .setRemovingReplicas(List.of());
                }
                records.add(record);
            }
        }
        return records;
    }

    private List<ApiMessage> removeAndMaybeRecreate(TopicImage topic) {
        List<ApiMessage> records = new ArrayList<>();
        records.add(new RemoveTopicRecord().setTopicId(topic.id()));
        if (random.nextBoolean()) {
            records.addAll(topic(topic.name()));
        }
        return records;
    }

    private List<ApiMessage> configs(List<TopicImage> topics) {
        List<ApiMessage> records = new ArrayList<>();
        for (int i = random.nextInt(5); i >= 0; i--) {
            boolean ofTopic = !topics.isEmpty() && random.nextBoolean();
            records.add(new ConfigRecord()
                    .setResourceType((ofTopic ? ConfigResource.Type.TOPIC : ConfigResource.Type.BROKER).id())
                    .setResourceName(
                            ofTopic ? topics.get(random.nextInt(topics.size())).name() : "")
                    .setName("key." + random.nextInt(5))
                    .setValue(random.nextInt(3) == 0 ? null : "value " + random.nextInt(100)));
        }
        return records;
    }

    private List<ApiMessage> broker(MetadataImage image) {
        int id = random.nextInt(BROKERS);
        BrokerImage broker = image.broker(id).orElse(null);
        if (broker == null || random.nextInt(3) == 0) {
            RegisterBrokerRecord record = new RegisterBrokerRecord()
                    .setBrokerId(id)
                    .setBrokerEpoch(-1)
                    .setIncarnationId(id())
                    .setRack(random.nextBoolean() ? null : "rack " + random.nextInt(3))
                    .setLogDirs(List.of(id(), id()));
            for (String listener : List.of("PLAINTEXT", "INTERNAL")) {
                record.endPoints()
                        .add(new RegisterBrokerRecord.BrokerEndpoint()
                                .setName(listener)
                                .setHost("host" + id)
                                .setPort(random.nextInt(65536)));
            }
            Map.of("metadata.version", 33, "group.version", 1).forEach((name, level) -> record.features()
                    .add(new RegisterBrokerRecord.BrokerFeature()
                            .setName(name)
                            .setMaxSupportedVersion(level.shortValue())));
            return List.of(record);
        }
        return switch (random.nextInt(3)) {
            case 0 -> List.of(new FenceBrokerRecord().setId(id).setEpoch(broker.epoch()));
            case 1 -> List.of(new UnfenceBrokerRecord().setId(id).setEpoch(broker.epoch()));
            default -> List.of(new UnregisterBrokerRecord().setBrokerId(id).setBrokerEpoch(broker.epoch()));
        };
    }
}
