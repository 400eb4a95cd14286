package io.barnabas.log;

import org.apache.kafka.common.record.TimestampType;

/**
 * The settings of one topic's logs, under Kafka's names in camel case. Immutable; a change replaces it
 * ({@link PartitionLog#reconfigure}).
 *
 * @param compact cleanup.policy has compact
 * @param delete cleanup.policy has delete
 * @param compressionType compression.type: producer, uncompressed, gzip, snappy, lz4 or zstd
 * @param durability barnabas' own: what an acknowledged write survives
 */
public record LogConfig(
        int segmentBytes,
        long segmentMs,
        long segmentJitterMs,
        int segmentIndexBytes,
        int indexIntervalBytes,
        long retentionMs,
        long retentionBytes,
        boolean compact,
        boolean delete,
        long deleteRetentionMs,
        double minCleanableDirtyRatio,
        long minCompactionLagMs,
        long maxCompactionLagMs,
        long fileDeleteDelayMs,
        long flushMessages,
        long flushMs,
        int maxMessageBytes,
        int maxDecompressedMessageBytes,
        String compressionType,
        int gzipLevel,
        int lz4Level,
        int zstdLevel,
        TimestampType messageTimestampType,
        long messageTimestampBeforeMaxMs,
        long messageTimestampAfterMaxMs,
        int minInsyncReplicas,
        Durability durability) {

    /** What an acknowledged write survives. */
    public enum Durability {
        /** The death of the process, not of the machine: as Kafka. */
        OS,
        /** Power loss too: acks=all is answered after a group-committed force. */
        FSYNC
    }

    /** After which time a segment is rolled: a compacted topic's records must be sealed to be compacted in time (KIP-354). */
    public long segmentMsMax() {
        return compact ? Math.min(segmentMs, Math.max(0, maxCompactionLagMs)) : segmentMs;
    }

    /** Kafka's defaults. */
    public static LogConfig defaults() {
        return new LogConfig(
                1 << 30,
                604_800_000L,
                0,
                10 << 20,
                4096,
                604_800_000L,
                -1,
                false,
                true,
                86_400_000L,
                0.5,
                0,
                Long.MAX_VALUE,
                60_000,
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                1_048_588,
                2_147_483_639,
                "producer",
                -1,
                9,
                3,
                TimestampType.CREATE_TIME,
                Long.MAX_VALUE,
                3_600_000L,
                1,
                Durability.OS);
    }
}
