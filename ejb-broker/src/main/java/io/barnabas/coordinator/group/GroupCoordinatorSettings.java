package io.barnabas.coordinator.group;

import io.barnabas.config.BrokerConfig;

/**
 * The group coordinator's settings, named by their broker keys.
 *
 * @param minSessionTimeoutMs group.min.session.timeout.ms
 * @param maxSessionTimeoutMs group.max.session.timeout.ms
 * @param maxSize group.max.size: members of one group
 * @param initialRebalanceDelayMs group.initial.rebalance.delay.ms: how long an empty group waits for more members
 * @param newMemberJoinTimeoutMs after which a new member that waits for its first generation is taken for gone; no key of its own
 * @param offsetMetadataMaxBytes offset.metadata.max.bytes: characters of a committed offset's metadata, as Kafka counts them
 * @param offsetsRetentionMs offsets.retention.minutes
 * @param offsetsRetentionCheckIntervalMs offsets.retention.check.interval.ms
 * @param offsetsCommitTimeoutMs offsets.commit.timeout.ms
 * @param offsetsTopicPartitions offsets.topic.num.partitions: for a topic that is yet to be made
 */
public record GroupCoordinatorSettings(
        int minSessionTimeoutMs,
        int maxSessionTimeoutMs,
        int maxSize,
        int initialRebalanceDelayMs,
        int newMemberJoinTimeoutMs,
        int offsetMetadataMaxBytes,
        long offsetsRetentionMs,
        long offsetsRetentionCheckIntervalMs,
        int offsetsCommitTimeoutMs,
        int offsetsTopicPartitions) {
    private static final long MINUTE_MS = 60_000L;

    /** Kafka's defaults. */
    public static GroupCoordinatorSettings defaults() {
        return new GroupCoordinatorSettings(
                6_000,
                1_800_000,
                Integer.MAX_VALUE,
                3_000,
                300_000,
                4_096,
                10_080 * MINUTE_MS,
                10 * MINUTE_MS,
                5_000,
                50);
    }

    /** As the broker is configured. */
    public static GroupCoordinatorSettings of(BrokerConfig config) {
        return new GroupCoordinatorSettings(
                config.getInt("group.min.session.timeout.ms"),
                config.getInt("group.max.session.timeout.ms"),
                config.getInt("group.max.size"),
                config.getInt("group.initial.rebalance.delay.ms"),
                defaults().newMemberJoinTimeoutMs(),
                config.getInt("offset.metadata.max.bytes"),
                config.getInt("offsets.retention.minutes") * MINUTE_MS,
                config.getLong("offsets.retention.check.interval.ms"),
                config.getInt("offsets.commit.timeout.ms"),
                config.getInt("offsets.topic.num.partitions"));
    }
}
