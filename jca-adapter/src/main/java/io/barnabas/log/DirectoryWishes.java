package io.barnabas.log;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Where logs that are not there yet are to be made (AlterReplicaLogDirs before the topic, KIP-113). In memory, and no more than
 * {@link #MOST}: the oldest goes. Guarded by the manager's lock of changes.
 */
final class DirectoryWishes {
    /** Any client may name topics that never come. */
    static final int MOST = 10_000;

    private final Map<TopicPartition, DiskDirectory> wishes = new LinkedHashMap<>();

    void put(TopicPartition partition, DiskDirectory directory) {
        wishes.remove(partition);
        wishes.put(partition, directory);
        if (wishes.size() > MOST) {
            wishes.remove(wishes.keySet().iterator().next());
        }
    }

    /** The wish for a partition, which ends with this. */
    @Nullable
    DiskDirectory take(TopicPartition partition) {
        return wishes.remove(partition);
    }
}
