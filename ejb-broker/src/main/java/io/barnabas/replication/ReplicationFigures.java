package io.barnabas.replication;

/**
 * What this broker has copied, and how well, for metrics. Numbers since start, but for the lag.
 *
 * @param isrShrinks in-sync replicas that this broker had reduced
 * @param isrExpands and had increased
 * @param failedIsrChanges that the controller refused or did not answer
 * @param lagRecordsMax committed records that the farthest follower here lacks
 * @param bytesIn of record batches, from leaders
 * @param bytesOut to followers
 */
public record ReplicationFigures(
        long isrShrinks, long isrExpands, long failedIsrChanges, long lagRecordsMax, long bytesIn, long bytesOut) {}
