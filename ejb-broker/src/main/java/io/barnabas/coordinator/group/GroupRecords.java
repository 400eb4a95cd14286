package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.coordinator.RecordTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.apache.kafka.coordinator.group.generated.GroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.GroupMetadataValue.MemberMetadata;
import org.apache.kafka.coordinator.group.generated.OffsetCommitKey;
import org.apache.kafka.coordinator.group.generated.OffsetCommitValue;
import org.jspecify.annotations.Nullable;

/** The records of {@code __consumer_offsets}, in the versions that Kafka 4.4 writes. */
final class GroupRecords {
    private static final int GROUP_METADATA_VERSION = 3;
    private static final int OFFSET_COMMIT_VERSION = 4;
    /** The one version that has a time of expiry of its own (OffsetCommit 2–4 with a retention time). */
    private static final int OFFSET_COMMIT_VERSION_WITH_EXPIRY = 1;

    private GroupRecords() {}

    static CoordinatorRecord offsetCommit(String group, String topic, int partition, CommittedOffset offset) {
        boolean expires = offset.expireTimestampMs() != CommittedOffset.NO_TIMESTAMP;
        return CoordinatorRecord.of(
                new OffsetCommitKey().setGroup(group).setTopic(topic).setPartition(partition),
                new OffsetCommitValue()
                        .setOffset(offset.offset())
                        .setLeaderEpoch(offset.leaderEpoch())
                        .setMetadata(offset.metadata())
                        .setCommitTimestamp(offset.commitTimestampMs())
                        .setExpireTimestamp(offset.expireTimestampMs())
                        .setTopicId(offset.topicId()),
                expires ? OFFSET_COMMIT_VERSION_WITH_EXPIRY : OFFSET_COMMIT_VERSION);
    }

    static CoordinatorRecord offsetTombstone(String group, String topic, int partition) {
        return CoordinatorRecord.tombstone(
                new OffsetCommitKey().setGroup(group).setTopic(topic).setPartition(partition));
    }

    /** A generation with an assignment for each member; an empty group has neither. */
    static CoordinatorRecord generation(ClassicGroup group, Map<String, byte[]> assignments) {
        List<MemberMetadata> members = new ArrayList<>(group.members().size());
        for (Member member : group.members()) {
            members.add(new MemberMetadata()
                    .setMemberId(member.id)
                    .setGroupInstanceId(member.instanceId)
                    .setClientId(member.clientId)
                    .setClientHost(member.clientHost)
                    .setRebalanceTimeout(member.rebalanceTimeoutMs)
                    .setSessionTimeout(member.sessionTimeoutMs)
                    .setSubscription(member.metadata(Objects.requireNonNull(group.protocol())))
                    .setAssignment(assignments.getOrDefault(member.id, Member.NO_ASSIGNMENT)));
        }
        return group(
                group,
                new GroupMetadataValue()
                        .setProtocolType(group.protocolType() == null ? "" : group.protocolType())
                        .setGeneration(group.generation())
                        .setProtocol(group.protocol())
                        .setLeader(group.leader())
                        .setMembers(members));
    }

    /** A group that has been made and has had no generation yet. */
    static CoordinatorRecord newGroup(ClassicGroup group) {
        return group(
                group,
                new GroupMetadataValue()
                        .setProtocolType("")
                        .setGeneration(0)
                        .setProtocol(null)
                        .setLeader(null)
                        .setMembers(List.of()));
    }

    private static CoordinatorRecord group(ClassicGroup group, GroupMetadataValue value) {
        return CoordinatorRecord.of(
                new GroupMetadataKey().setGroup(group.id()),
                value.setCurrentStateTimestamp(group.stateTimestampMs()),
                GROUP_METADATA_VERSION);
    }

    static CoordinatorRecord groupTombstone(String group) {
        return CoordinatorRecord.tombstone(new GroupMetadataKey().setGroup(group));
    }

    /** What this broker reads of the topic: offsets, classic and consumer groups; of groups of other types only that they exist. */
    static final RecordTypes TYPES = new RecordTypes() {
        @Override
        public @Nullable ApiMessage newKey(short type) {
            try {
                return CoordinatorRecordType.fromId(type).newRecordKey();
            } catch (UnsupportedVersionException e) {
                return null; // of a later Kafka
            }
        }

        @Override
        public @Nullable ApiMessage newValue(short type) {
            CoordinatorRecordType known = CoordinatorRecordType.fromId(type);
            return switch (known) {
                case LEGACY_OFFSET_COMMIT,
                        OFFSET_COMMIT,
                        GROUP_METADATA,
                        CONSUMER_GROUP_METADATA,
                        CONSUMER_GROUP_MEMBER_METADATA,
                        CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA,
                        CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER,
                        CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT,
                        CONSUMER_GROUP_REGULAR_EXPRESSION -> known.newRecordValue();
                default -> null;
            };
        }
    };
}
