package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.TransactionMarker;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;

/** The coordinator's way to the partitions of its transactions. Safe from any thread. */
public interface MarkerWriter {
    /**
     * Writes a transaction's end to a partition.
     *
     * @return completes when the marker is committed, or when the partition is no more; else fails with the protocol's error. Never
     *     throws. A marker may be written again: it then changes nothing
     */
    CompletionStage<Void> write(TopicPartition partition, TransactionMarker marker);
}
