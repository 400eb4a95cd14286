package io.barnabas.metadata.jpa;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.PartitionImage;
import jakarta.persistence.EntityManager;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * Everything the entities say, as values: for reports, and for the check that they say what the image says.
 *
 * @param lastApplied index of the last journal entry in them
 * @param topics ids by name
 * @param partitions of each topic, by index
 * @param configs value by {@code type/name/key}
 */
public record EntityRecords(
        long lastApplied,
        long nextProducerId,
        Map<String, Uuid> topics,
        Map<Uuid, List<PartitionImage>> partitions,
        Map<String, String> configs,
        Map<String, Short> features,
        Map<Integer, BrokerImage> brokers) {
    /** Reads all of it. */
    public static EntityRecords read(EntityManager entities) {
        JournalPosition position = entities.find(JournalPosition.class, JournalPosition.ID);
        return new EntityRecords(
                position.lastApplied(),
                position.nextProducerId(),
                all(entities, TopicEntity.class)
                        .collect(Collectors.toMap(TopicEntity::name, TopicEntity::id, (a, b) -> a, TreeMap::new)),
                entities.createQuery("SELECT p FROM PartitionEntity p ORDER BY p.partition", PartitionEntity.class)
                        .getResultStream()
                        .collect(Collectors.groupingBy(
                                PartitionEntity::topicId,
                                Collectors.mapping(PartitionEntity::image, Collectors.toList()))),
                all(entities, ConfigurationEntity.class)
                        .collect(Collectors.toMap(
                                c -> c.resource().type() + "/" + c.resource().name() + "/" + c.key(),
                                ConfigurationEntity::value)),
                all(entities, FeatureEntity.class).collect(Collectors.toMap(FeatureEntity::name, FeatureEntity::level)),
                all(entities, BrokerEntity.class).collect(Collectors.toMap(BrokerEntity::id, BrokerEntity::image)));
    }

    private static <E> java.util.stream.Stream<E> all(EntityManager entities, Class<E> entity) {
        return entities.createQuery("SELECT e FROM " + entity.getSimpleName() + " e", entity)
                .getResultStream();
    }
}
