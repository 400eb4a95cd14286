package io.barnabas.ejb;

import io.barnabas.partition.LeaderCensus;
import io.barnabas.replication.ReplicationFigures;
import org.eclipse.microprofile.metrics.Tag;

/**
 * Figures of replication among the {@link BrokerMetrics}. What Kafka calls UnderReplicatedPartitions, UnderMinIsrPartitionCount,
 * AtMinIsrPartitionCount, LeaderCount, PartitionCount, ReassigningPartitions, MaxLag, IsrShrinksPerSec, IsrExpandsPerSec,
 * FailedIsrUpdatesPerSec, ReplicationBytesInPerSec and ReplicationBytesOutPerSec; each is of this broker alone.
 *
 * <p>Sampled by its owner's thread; gauges are read by the scrape's.
 */
final class ReplicationMetrics {
    private final BrokerMetrics metrics;
    private final BrokerNode node;
    private volatile LeaderCensus census = LeaderCensus.EMPTY;
    private volatile long lagRecordsMax;

    ReplicationMetrics(BrokerMetrics metrics, BrokerNode node) {
        this.metrics = metrics;
        this.node = node;
    }

    void register() {
        metrics.level(
                "barnabas_under_replicated_partitions",
                "Partitions led by this broker with fewer replicas in sync than assigned",
                () -> census.underReplicated());
        metrics.level(
                "barnabas_under_min_isr_partitions",
                "Partitions led by this broker that refuse acks=all: fewer replicas in sync than min.insync.replicas",
                () -> census.underMinIsr());
        metrics.level(
                "barnabas_at_min_isr_partitions",
                "Partitions led by this broker that would refuse acks=all with one replica less in sync",
                () -> census.atMinIsr());
        metrics.level("barnabas_leader_partitions", "Partitions that this broker leads", () -> census.led());
        metrics.level("barnabas_replicas", "Replicas on this broker, leaders too", () -> census.partitions());
        metrics.level(
                "barnabas_reassigning_partitions",
                "Partitions led by this broker whose replicas are being changed",
                () -> census.reassigning());
        metrics.level(
                "barnabas_replica_lag_records_max",
                "Committed records that the farthest follower on this broker lacks",
                () -> lagRecordsMax);
    }

    void sample() {
        census = LeaderCensus.of(node.partitions().partitions());
        ReplicationFigures figures = node.replicationFigures();
        lagRecordsMax = figures.lagRecordsMax();
        metrics.carry("barnabas_isr_shrinks", "Replicas fell out of sync", figures.isrShrinks());
        metrics.carry("barnabas_isr_expands", "Replicas came back in sync", figures.isrExpands());
        metrics.carry(
                "barnabas_isr_changes_failed",
                "Changes of in-sync replicas that the controller refused or did not answer",
                figures.failedIsrChanges());
        metrics.carry(
                "barnabas_replication_bytes",
                "Bytes of record batches copied between brokers",
                figures.bytesIn(),
                new Tag("direction", "in"));
        metrics.carry(
                "barnabas_replication_bytes",
                "Bytes of record batches copied between brokers",
                figures.bytesOut(),
                new Tag("direction", "out"));
    }
}
