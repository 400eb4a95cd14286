package io.barnabas.simulation;

import io.barnabas.log.LogConfig;
import java.util.Random;
import org.apache.kafka.common.record.TimestampType;

/** A topic's settings on the scale of a simulation. */
final class LogSettings {
    private final LogConfig.Durability durability;
    private final int indexIntervalBytes;
    private final double dirtyRatio;
    int segmentBytes;
    long retentionMs = -1;
    long retentionBytes = -1;
    boolean compact;
    int minInsyncReplicas = 1;

    LogSettings(Random random, boolean fsync) {
        durability = fsync ? LogConfig.Durability.FSYNC : LogConfig.Durability.OS;
        indexIntervalBytes = 50 + random.nextInt(400);
        dirtyRatio = random.nextInt(5) / 10.0;
    }

    LogConfig build() {
        LogConfig plain = LogConfig.defaults();
        return new LogConfig(
                segmentBytes,
                plain.segmentMs(),
                0,
                plain.segmentIndexBytes(),
                indexIntervalBytes,
                retentionMs,
                retentionBytes,
                compact,
                !compact,
                30_000,
                dirtyRatio,
                0,
                Long.MAX_VALUE,
                5_000,
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                plain.maxMessageBytes(),
                plain.maxDecompressedMessageBytes(),
                "producer",
                plain.gzipLevel(),
                plain.lz4Level(),
                plain.zstdLevel(),
                TimestampType.CREATE_TIME,
                Long.MAX_VALUE,
                Long.MAX_VALUE,
                minInsyncReplicas,
                durability);
    }
}
