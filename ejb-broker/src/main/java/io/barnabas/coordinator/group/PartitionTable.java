package io.barnabas.coordinator.group;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values by group, topic and partition, without empty leftovers. Confined to the shard's serial executor. */
final class PartitionTable<V> {
    private final Map<String, Map<String, Map<Integer, V>>> byGroup = new HashMap<>();

    @Nullable
    V get(String group, String topic, int partition) {
        @Nullable Map<Integer, V> partitions = partitions(group, topic);
        return partitions == null ? null : partitions.get(partition);
    }

    void put(String group, String topic, int partition, V value) {
        byGroup.computeIfAbsent(group, g -> new HashMap<>(4))
                .computeIfAbsent(topic, t -> new HashMap<>(4))
                .put(partition, value);
    }

    @Nullable
    V remove(String group, String topic, int partition) {
        @Nullable Map<String, Map<Integer, V>> topics = byGroup.get(group);
        @Nullable Map<Integer, V> partitions = topics == null ? null : topics.get(topic);
        if (topics == null || partitions == null) {
            return null;
        }
        @Nullable V removed = partitions.remove(partition);
        if (partitions.isEmpty()) {
            topics.remove(topic);
            if (topics.isEmpty()) {
                byGroup.remove(group);
            }
        }
        return removed;
    }

    boolean has(String group) {
        return byGroup.containsKey(group);
    }

    /** A group's partitions of a topic; not to be changed. */
    @Nullable
    Map<Integer, V> partitions(String group, String topic) {
        @Nullable Map<String, Map<Integer, V>> topics = byGroup.get(group);
        return topics == null ? null : topics.get(topic);
    }

    /** A group's values by topic and partition; not to be changed. */
    Map<String, Map<Integer, V>> topics(String group) {
        return byGroup.getOrDefault(group, Map.of());
    }

    /** Shows every group's partitions of a topic. */
    void forEachOf(String topic, Visitor<V> visitor) {
        byGroup.forEach((group, topics) -> topics.getOrDefault(topic, Map.of())
                .forEach((partition, value) -> visitor.visit(group, topic, partition, value)));
    }

    void forEach(Visitor<V> visitor) {
        byGroup.forEach((group, topics) -> topics.forEach((topic, partitions) ->
                partitions.forEach((partition, value) -> visitor.visit(group, topic, partition, value))));
    }

    /** Takes one value; must not change the table. */
    interface Visitor<V> {
        void visit(String group, String topic, int partition, V value);
    }
}
