package io.barnabas.metadata.jpa;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import jakarta.persistence.EntityManager;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/** Writes rows from an image, within one transaction of the caller's. For one thread. */
final class EntityWriter {
    private static final List<String> ENTITIES = List.of(
            "PartitionEntity",
            "TopicEntity",
            "ConfigurationEntity",
            "FeatureEntity",
            "BrokerEntity",
            "JournalPosition");
    /** Rows that wait in memory before they are sent to the database. */
    private static final int FLUSH_ROWS = 1_000;

    /** From so many partitions of a topic on, its rows are read with one question. */
    private static final int MANY = 10;

    private final EntityManager entities;
    private final MetadataImage image;
    private final Set<ConfigResource> configs = new HashSet<>(); // each is written once
    private int unflushed;

    EntityWriter(EntityManager entities, MetadataImage image) {
        this.entities = entities;
        this.image = image;
    }

    /** Brings the changed rows, and the position, to what the image says. */
    void write(ChangedRows changed) {
        // Those that are gone first: their names may have been taken anew.
        changed.topics.stream().filter(id -> image.topic(id) == null).forEach(this::removeTopic);
        changed.topics.stream().map(image::topic).filter(Objects::nonNull).forEach(t -> entities.merge(entity(t)));
        changed.partitions.forEach(this::writePartitions);
        configs.addAll(changed.configs);
        configs.forEach(this::writeConfig);
        changed.features.forEach(this::writeFeature);
        changed.brokers.forEach(this::writeBroker);
        writePosition();
    }

    /** Replaces everything by what the image says. */
    void writeAll() {
        ENTITIES.forEach(
                entity -> entities.createQuery("DELETE FROM " + entity + " e").executeUpdate());
        for (TopicImage topic : image.topics()) {
            persist(entity(topic));
            topic.partitions().forEach(partition -> persist(entity(topic.id(), partition)));
        }
        for (ConfigResource resource : image.configResources()) {
            image.config(resource).forEach((key, value) -> persist(new ConfigurationEntity(resource, key, value)));
        }
        image.features().forEach((name, level) -> persist(new FeatureEntity(name, level)));
        image.brokers().forEach(broker -> persist(new BrokerEntity(broker)));
        JournalPosition position = new JournalPosition();
        position.set(image.clusterId(), image.index(), image.nextProducerId());
        persist(position);
    }

    private void persist(Object entity) {
        entities.persist(entity);
        if (++unflushed >= FLUSH_ROWS) {
            entities.flush();
            entities.clear();
            unflushed = 0;
        }
    }

    private static TopicEntity entity(TopicImage topic) {
        TopicEntity entity = new TopicEntity(topic.id(), topic.name());
        entity.setPartitions(topic.partitions().size());
        return entity;
    }

    private static PartitionEntity entity(Uuid topicId, PartitionImage image) {
        PartitionEntity entity = new PartitionEntity(topicId, image.partition());
        entity.set(image);
        return entity;
    }

    private void removeTopic(Uuid id) {
        TopicEntity entity = entities.find(TopicEntity.class, id.toString());
        if (entity != null) {
            entities.createQuery("DELETE FROM PartitionEntity p WHERE p.topicId = :id")
                    .setParameter("id", id.toString())
                    .executeUpdate();
            configs.add(new ConfigResource(ConfigResource.Type.TOPIC, entity.name()));
            entities.remove(entity);
            entities.flush();
        }
    }

    private void writePartitions(Uuid topicId, Set<Integer> indexes) {
        TopicImage topic = image.topic(topicId);
        if (topic == null) {
            return;
        }
        if (indexes.size() < MANY) {
            indexes.forEach(
                    index -> entities.merge(entity(topicId, topic.partitions().get(index))));
            return;
        }
        Map<Integer, PartitionEntity> present = rows(topicId); // one question for all
        for (int index : indexes) {
            PartitionImage partition = topic.partitions().get(index);
            PartitionEntity row = present.get(index);
            if (row == null) {
                entities.persist(entity(topicId, partition));
            } else {
                row.set(partition);
            }
        }
    }

    private Map<Integer, PartitionEntity> rows(Uuid topicId) {
        Map<Integer, PartitionEntity> rows = new HashMap<>();
        entities.createQuery("SELECT p FROM PartitionEntity p WHERE p.topicId = :id", PartitionEntity.class)
                .setParameter("id", topicId.toString())
                .getResultList()
                .forEach(row -> rows.put(row.partition(), row));
        return rows;
    }

    private void writeConfig(ConfigResource resource) {
        entities.createQuery(
                        "DELETE FROM ConfigurationEntity c WHERE c.resourceType = :type AND c.resourceName = :name")
                .setParameter("type", (short) resource.type().id())
                .setParameter("name", resource.name())
                .executeUpdate();
        for (Map.Entry<String, String> setting : image.config(resource).entrySet()) {
            entities.persist(new ConfigurationEntity(resource, setting.getKey(), setting.getValue()));
        }
    }

    private void writeFeature(String name) {
        Short level = image.features().get(name);
        if (level != null) {
            entities.merge(new FeatureEntity(name, level));
        } else {
            remove(entities.find(FeatureEntity.class, name));
        }
    }

    private void writeBroker(int id) {
        BrokerImage broker = image.broker(id).orElse(null);
        if (broker != null) {
            entities.merge(new BrokerEntity(broker));
        } else {
            remove(entities.find(BrokerEntity.class, id));
        }
    }

    private void remove(@Nullable Object entity) {
        if (entity != null) {
            entities.remove(entity);
        }
    }

    private void writePosition() {
        JournalPosition position = entities.find(JournalPosition.class, JournalPosition.ID);
        if (position == null || position.lastApplied() >= image.index()) {
            throw new IllegalStateException("The entities are at "
                    + (position == null ? "no index" : position.lastApplied()) + ", not before " + image.index());
        }
        position.set(image.clusterId(), image.index(), image.nextProducerId());
    }
}
