package io.barnabas.log;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What a log manager is opened with.
 *
 * @param directories {@code log.dirs}, in order
 * @param cordoned {@code cordoned.log.dirs}: those of them that take no new logs (KIP-1066)
 * @param brokerId {@code node.id}, kept in each directory's meta.properties
 * @param clusterId the cluster's id, kept there too; an existing other one is refused
 * @param defaults settings of a topic that sets nothing itself
 * @param retentionCheckIntervalMs {@code log.retention.check.interval.ms}
 * @param cleanerEnabled {@code log.cleaner.enable}
 * @param cleanerThreads {@code log.cleaner.threads}
 * @param cleanerBackoffMs {@code log.cleaner.backoff.ms}
 * @param cleanerDedupeBufferBytes {@code log.cleaner.dedupe.buffer.size}
 * @param cleanerIoBytesPerSecond {@code log.cleaner.io.max.bytes.per.second}
 * @param producerIdExpirationMs {@code producer.id.expiration.ms}
 * @param producerIdExpirationCheckIntervalMs {@code producer.id.expiration.check.interval.ms}
 * @param recoveryThreads threads that recover logs at start and close them at the end, each directory ({@code num.recovery.threads.per.data.dir})
 * @param flushCheckpointIntervalMs {@code log.flush.offset.checkpoint.interval.ms}
 * @param initialTaskDelayMs {@code log.initial.task.delay.ms}: from the start to the first retention and checkpoint
 * @param checkBytesPerSecond {@code barnabas.log.check.max.bytes.per.second}: how fast what the start found is read and checked; 0: not at all
 */
public record LogManagerSettings(
        List<Path> directories,
        Set<Path> cordoned,
        int brokerId,
        String clusterId,
        LogConfig defaults,
        long retentionCheckIntervalMs,
        boolean cleanerEnabled,
        int cleanerThreads,
        long cleanerBackoffMs,
        long cleanerDedupeBufferBytes,
        double cleanerIoBytesPerSecond,
        int producerIdExpirationMs,
        int producerIdExpirationCheckIntervalMs,
        int recoveryThreads,
        long flushCheckpointIntervalMs,
        long initialTaskDelayMs,
        long checkBytesPerSecond) {}
