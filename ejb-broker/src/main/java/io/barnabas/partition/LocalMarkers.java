package io.barnabas.partition;

import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.transaction.MarkerWriter;
import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.log.AppendTerms;
import io.barnabas.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;

/**
 * Writes the ends of transactions to the partitions that this broker leads; to those of the offsets topic through the group coordinator,
 * whose shards replay them. Safe from any thread.
 */
public final class LocalMarkers implements MarkerWriter {
    private static final short ACKS_ALL = -1;

    private final LocalPartitions partitions;
    private final GroupCoordinator groups;
    private final Clock clock;

    /** Markers for the partitions of this broker. */
    public LocalMarkers(LocalPartitions partitions, GroupCoordinator groups, Clock clock) {
        this.partitions = partitions;
        this.groups = groups;
        this.clock = clock;
    }

    @Override
    public CompletionStage<Void> write(TopicPartition partition, TransactionMarker marker) {
        if (partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
            return groups.end(partition.partition(), marker);
        }
        try {
            LocalPartition to = partitions.leader(partition);
            int epoch = to.leaderEpoch();
            AppendResult result = to.append(
                    marker.toRecords(clock.wallMillis()),
                    AppendOrigin.COORDINATOR,
                    ACKS_ALL,
                    AppendTerms.marker(marker.transactionVersion()));
            return to.committed(result.lastOffset() + 1, epoch);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }
}
