package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupCurrentMemberAssignmentValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupPartitionMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupRegularExpressionKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupRegularExpressionValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMetadataKey;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMetadataValue;
import org.apache.kafka.coordinator.group.generated.CoordinatorRecordType;
import org.jspecify.annotations.Nullable;

/**
 * Applies the records of consumer groups. A tombstone for what is not there is passed over: compaction may have taken what it was for.
 * Confined to the shard's serial executor; while loading, to one worker.
 */
final class ConsumerReplay {
    private final Groups groups;
    private final ConsumerSessions sessions;

    ConsumerReplay(Groups groups, ConsumerSessions sessions) {
        this.groups = groups;
        this.sessions = sessions;
    }

    /** Applies a record of the log. */
    void replay(CoordinatorRecord record) {
        @Nullable String groupId = groupId(record.key());
        if (groupId == null) {
            return; // of a group of another type
        }
        boolean present = record.value() != null;
        @Nullable ConsumerGroup group = present ? groups.consumerToReplay(groupId) : groups.consumer(groupId);
        if (group == null) {
            return;
        }
        apply(group, record);
        if (!present && record.key() instanceof ConsumerGroupMemberMetadataKey key) {
            sessions.drop(groupId, key.memberId());
        } else if (!present && record.key() instanceof ConsumerGroupMetadataKey) {
            groups.removeConsumer(groupId);
        }
    }

    private static @Nullable String groupId(ApiMessage key) {
        return switch (CoordinatorRecordType.fromId(key.apiKey())) {
            case CONSUMER_GROUP_METADATA -> ((ConsumerGroupMetadataKey) key).groupId();
            case CONSUMER_GROUP_PARTITION_METADATA -> ((ConsumerGroupPartitionMetadataKey) key).groupId();
            case CONSUMER_GROUP_MEMBER_METADATA -> ((ConsumerGroupMemberMetadataKey) key).groupId();
            case CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA ->
                ((ConsumerGroupTargetAssignmentMetadataKey) key).groupId();
            case CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER -> ((ConsumerGroupTargetAssignmentMemberKey) key).groupId();
            case CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT -> ((ConsumerGroupCurrentMemberAssignmentKey) key).groupId();
            case CONSUMER_GROUP_REGULAR_EXPRESSION -> ((ConsumerGroupRegularExpressionKey) key).groupId();
            default -> null;
        };
    }

    /** Applies a record to the group that it is of. */
    static void apply(ConsumerGroup group, CoordinatorRecord record) {
        ApiMessage key = record.key();
        @Nullable ApiMessage value = record.value();
        switch (CoordinatorRecordType.fromId(key.apiKey())) {
            case CONSUMER_GROUP_METADATA -> {
                if (value != null) {
                    group.replay((ConsumerGroupMetadataValue) value);
                }
            }
            case CONSUMER_GROUP_PARTITION_METADATA -> group.replayPartitionMetadata(value != null);
            case CONSUMER_GROUP_MEMBER_METADATA ->
                group.replay(
                        ((ConsumerGroupMemberMetadataKey) key).memberId(), (ConsumerGroupMemberMetadataValue) value);
            case CONSUMER_GROUP_TARGET_ASSIGNMENT_METADATA -> {
                if (value == null) {
                    group.replayTargetTombstone();
                } else {
                    group.replay((ConsumerGroupTargetAssignmentMetadataValue) value);
                }
            }
            case CONSUMER_GROUP_TARGET_ASSIGNMENT_MEMBER ->
                group.replay(
                        ((ConsumerGroupTargetAssignmentMemberKey) key).memberId(),
                        (ConsumerGroupTargetAssignmentMemberValue) value);
            case CONSUMER_GROUP_CURRENT_MEMBER_ASSIGNMENT ->
                group.replay(
                        ((ConsumerGroupCurrentMemberAssignmentKey) key).memberId(),
                        (ConsumerGroupCurrentMemberAssignmentValue) value);
            case CONSUMER_GROUP_REGULAR_EXPRESSION ->
                group.replayRegex(
                        ((ConsumerGroupRegularExpressionKey) key).regularExpression(),
                        (ConsumerGroupRegularExpressionValue) value);
            default -> {} // not of a consumer group
        }
    }
}
