package io.barnabas.log;

import org.apache.kafka.common.record.TimestampType;

/** Kafka's topic defaults with single settings changed, for tests. */
final class TopicSettings {
    int segmentBytes = 1 << 30;
    long segmentMs = 604_800_000L;
    long segmentJitterMs;
    long flushMessages = Long.MAX_VALUE;
    long flushMs = Long.MAX_VALUE;
    long retentionMs = 604_800_000L;
    long retentionBytes = -1;
    boolean compact;
    boolean delete = true;
    long deleteRetentionMs = 86_400_000L;
    double minCleanableDirtyRatio = 0.5;
    long minCompactionLagMs;
    long maxCompactionLagMs = Long.MAX_VALUE;
    int indexIntervalBytes = 4096;
    int segmentIndexBytes = 10 << 20;
    int maxMessageBytes = 1_048_588;
    int maxDecompressedMessageBytes = 2_147_483_639;
    String compressionType = "producer";
    TimestampType timestampType = TimestampType.CREATE_TIME;
    long timestampBeforeMaxMs = Long.MAX_VALUE;
    long timestampAfterMaxMs = 3_600_000L;
    LogConfig.Durability durability = LogConfig.Durability.OS;

    LogConfig build() {
        return new LogConfig(
                segmentBytes,
                segmentMs,
                segmentJitterMs,
                segmentIndexBytes,
                indexIntervalBytes,
                retentionMs,
                retentionBytes,
                compact,
                delete,
                deleteRetentionMs,
                minCleanableDirtyRatio,
                minCompactionLagMs,
                maxCompactionLagMs,
                60_000,
                flushMessages,
                flushMs,
                maxMessageBytes,
                maxDecompressedMessageBytes,
                compressionType,
                -1,
                9,
                3,
                timestampType,
                timestampBeforeMaxMs,
                timestampAfterMaxMs,
                1,
                durability);
    }
}
