package io.barnabas.coordinator.group;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.jspecify.annotations.Nullable;

/**
 * The committed offsets of a shard's groups, and those of open transactions, which count from their commit marker on. Changed by replay
 * alone. Confined to the shard's serial executor.
 */
final class OffsetStore {
    private final PartitionTable<CommittedOffset> committed = new PartitionTable<>();
    private final Map<Long, PartitionTable<CommittedOffset>> pendingByProducer = new HashMap<>();
    private final PartitionTable<Set<Long>> openTransactions =
            new PartitionTable<>(); // producers that wrote, undecided

    PartitionTable<CommittedOffset> committed() {
        return committed;
    }

    /** An undecided transaction has an offset for the partition (KIP-447: it is not stable). */
    boolean isUnstable(String group, String topic, int partition) {
        return openTransactions.get(group, topic, partition) != null;
    }

    boolean hasOpenTransactions(String group) {
        return openTransactions.has(group);
    }

    /** Partitions of a group that undecided transactions wrote to, by topic. */
    Map<String, Map<Integer, Set<Long>>> openTransactions(String group) {
        return openTransactions.topics(group);
    }

    /** Shows every offset of a topic, committed or not. */
    void forEachOf(String topic, PartitionTable.Visitor<CommittedOffset> visitor) {
        committed.forEachOf(topic, visitor);
        pendingByProducer.values().forEach(table -> table.forEachOf(topic, visitor));
    }

    void replay(long recordOffset, long producerId, GroupPartition where, @Nullable OffsetCommitValue value) {
        if (value == null) {
            replayTombstone(where.group(), where.topic(), where.partition());
            return;
        }
        CommittedOffset offset = CommittedOffset.of(recordOffset, value);
        if (producerId < 0) {
            committed.put(where.group(), where.topic(), where.partition(), offset);
            return;
        }
        pendingByProducer
                .computeIfAbsent(producerId, id -> new PartitionTable<>())
                .put(where.group(), where.topic(), where.partition(), offset);
        @Nullable Set<Long> producers = openTransactions.get(where.group(), where.topic(), where.partition());
        if (producers == null) {
            producers = new HashSet<>(2);
            openTransactions.put(where.group(), where.topic(), where.partition(), producers);
        }
        producers.add(producerId);
    }

    private void replayTombstone(String group, String topic, int partition) {
        committed.remove(group, topic, partition);
        @Nullable Set<Long> producers = openTransactions.remove(group, topic, partition);
        if (producers != null) {
            for (Long producerId : producers) {
                @Nullable PartitionTable<CommittedOffset> pending = pendingByProducer.get(producerId);
                if (pending != null) {
                    pending.remove(group, topic, partition);
                }
            }
        }
    }

    void replayMarker(long producerId, boolean commit) {
        @Nullable PartitionTable<CommittedOffset> pending = pendingByProducer.remove(producerId);
        if (pending == null) {
            return;
        }
        pending.forEach((group, topic, partition, offset) -> {
            close(producerId, group, topic, partition);
            if (commit) {
                @Nullable CommittedOffset present = committed.get(group, topic, partition);
                // the later record counts, not the later marker: compaction keeps it, so a reload must come to the same
                if (present == null || offset.recordOffset() > present.recordOffset()) {
                    committed.put(group, topic, partition, offset);
                }
            }
        });
    }

    private void close(long producerId, String group, String topic, int partition) {
        @Nullable Set<Long> producers = openTransactions.get(group, topic, partition);
        if (producers != null && producers.remove(producerId) && producers.isEmpty()) {
            openTransactions.remove(group, topic, partition);
        }
    }

    /** A partition as a group sees it. */
    record GroupPartition(String group, String topic, int partition) {}
}
