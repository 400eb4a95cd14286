package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.OffsetCommitHandler.PartitionCheck;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;

/** Who may commit and fetch offsets of a consumer group: its members, by their epoch (KIP-848, KIP-1251). Pure. */
final class ConsumerOffsets {
    /** From this version on clients know what a stale member epoch is. */
    static final short MEMBER_EPOCH_VERSION = 9;

    private ConsumerOffsets() {}

    /**
     * Checks who commits. One of an older epoch may commit for what it has had since then and still has: the commit of a partition that
     * was never another's meanwhile harms nobody.
     *
     * @return what is asked of each partition
     * @throws ApiException UNKNOWN_MEMBER_ID, UNSUPPORTED_VERSION; STALE_MEMBER_EPOCH, or ILLEGAL_GENERATION for a classic member
     */
    static PartitionCheck validateCommit(ConsumerGroup group, String memberId, int epoch, short version) {
        if (epoch < 0 && group.isEmpty()) {
            return PartitionCheck.NONE; // an administrator, or a consumer that manages itself
        }
        ConsumerMember member = ConsumerMembers.existing(group, memberId);
        if (!member.profile().isClassic() && version < MEMBER_EPOCH_VERSION) {
            throw new UnsupportedVersionException(
                    "OffsetCommit version 9 or above must be used by members using the" + " consumer group protocol");
        }
        if (epoch > member.epoch()) {
            throw stale(member, "Received member epoch " + epoch + " is newer than " + member.epoch() + ".");
        }
        return epoch == member.epoch()
                ? PartitionCheck.NONE
                : (topic, partition) -> checkAssignedSince(member, epoch, topic, partition);
    }

    private static void checkAssignedSince(ConsumerMember member, int epoch, Uuid topic, int partition) {
        @Nullable Integer since = member.current().assignmentEpoch(topic, partition);
        if (since == null) {
            throw stale(member, "Partition " + partition + " is not assigned or pending revocation for member.");
        }
        if (epoch < since) {
            throw stale(member, "Received member epoch " + epoch + " is older than assignment epoch " + since + ".");
        }
    }

    /** @throws ApiException UNKNOWN_MEMBER_ID; STALE_MEMBER_EPOCH, or ILLEGAL_GENERATION for a classic member */
    static void validateFetch(ConsumerGroup group, @Nullable String memberId, int epoch) {
        if (memberId == null && epoch < 0) {
            return; // a client that does not say who it is
        }
        ConsumerMember member = ConsumerMembers.existing(group, memberId == null ? "" : memberId);
        if (epoch != member.epoch()) {
            throw stale(member, "The received member epoch " + epoch + " is not the expected " + member.epoch() + ".");
        }
    }

    private static ApiException stale(ConsumerMember member, String message) {
        return member.profile().isClassic()
                ? new IllegalGenerationException(message)
                : new StaleMemberEpochException(message);
    }
}
