package io.barnabas.coordinator.group;

import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;

/**
 * A committed offset of one partition. Immutable.
 *
 * @param recordOffset where its record is in the log; -1 before it is there
 * @param leaderEpoch of the last consumed record, or -1
 * @param expireTimestampMs when it expires, where the commit said so; else {@link #NO_TIMESTAMP}
 * @param topicId of the topic at the time of the commit, or zero in records of old versions
 */
record CommittedOffset(
        long recordOffset,
        long offset,
        int leaderEpoch,
        String metadata,
        long commitTimestampMs,
        long expireTimestampMs,
        Uuid topicId) {
    static final long NO_TIMESTAMP = -1L;

    static CommittedOffset of(long recordOffset, OffsetCommitValue value) {
        return new CommittedOffset(
                recordOffset,
                value.offset(),
                value.leaderEpoch(),
                value.metadata(),
                value.commitTimestamp(),
                value.expireTimestamp(),
                value.topicId());
    }

    /** Whether it is an offset of the topic with that id, as far as either id is known. */
    boolean isOf(Uuid id) {
        return topicId.equals(Uuid.ZERO_UUID) || id.equals(Uuid.ZERO_UUID) || topicId.equals(id);
    }
}
