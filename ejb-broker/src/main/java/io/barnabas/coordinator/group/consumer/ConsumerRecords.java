package io.barnabas.coordinator.group.consumer;

import io.barnabas.coordinator.CoordinatorRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
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

/** The records of consumer groups, as Kafka 4.4 writes them: all in version 0. */
public final class ConsumerRecords {
    private ConsumerRecords() {}

    private static CoordinatorRecord record(ApiMessage key, ApiMessage value) {
        return CoordinatorRecord.of(key, value, 0);
    }

    public static CoordinatorRecord epoch(String group, int epoch, long metadataHash) {
        return record(
                new ConsumerGroupMetadataKey().setGroupId(group),
                new ConsumerGroupMetadataValue().setEpoch(epoch).setMetadataHash(metadataHash));
    }

    public static CoordinatorRecord member(String group, ConsumerMember member) {
        MemberProfile profile = member.profile();
        return record(
                new ConsumerGroupMemberMetadataKey().setGroupId(group).setMemberId(member.id()),
                new ConsumerGroupMemberMetadataValue()
                        .setInstanceId(profile.instanceId())
                        .setRackId(profile.rackId())
                        .setClientId(profile.clientId())
                        .setClientHost(profile.clientHost())
                        .setSubscribedTopicNames(sorted(profile.topicNames()))
                        .setSubscribedTopicRegex(profile.topicRegex())
                        .setRebalanceTimeoutMs(profile.rebalanceTimeoutMs())
                        .setServerAssignor(profile.assignor())
                        .setClassicMemberMetadata(profile.classic()));
    }

    public static CoordinatorRecord target(String group, String member, Map<Uuid, Set<Integer>> partitions) {
        List<ConsumerGroupTargetAssignmentMemberValue.TopicPartition> topics = new ArrayList<>(partitions.size());
        partitions.forEach((topic, of) -> topics.add(new ConsumerGroupTargetAssignmentMemberValue.TopicPartition()
                .setTopicId(topic)
                .setPartitions(new ArrayList<>(of))));
        return record(
                new ConsumerGroupTargetAssignmentMemberKey().setGroupId(group).setMemberId(member),
                new ConsumerGroupTargetAssignmentMemberValue().setTopicPartitions(topics));
    }

    /** @param timestampMs wall clock at which the target was computed; 0 lets the next one be computed at once */
    public static CoordinatorRecord targetEpoch(String group, int epoch, long timestampMs) {
        return record(
                new ConsumerGroupTargetAssignmentMetadataKey().setGroupId(group),
                new ConsumerGroupTargetAssignmentMetadataValue()
                        .setAssignmentEpoch(epoch)
                        .setAssignmentTimestamp(timestampMs));
    }

    public static CoordinatorRecord current(String group, ConsumerMember member) {
        CurrentAssignment current = member.current();
        return record(
                new ConsumerGroupCurrentMemberAssignmentKey().setGroupId(group).setMemberId(member.id()),
                new ConsumerGroupCurrentMemberAssignmentValue()
                        .setMemberEpoch(current.epoch())
                        .setPreviousMemberEpoch(current.previousEpoch())
                        .setState(current.state().code())
                        .setAssignedPartitions(topicPartitions(current.assigned()))
                        .setPartitionsPendingRevocation(topicPartitions(current.pendingRevocation())));
    }

    private static List<ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions> topicPartitions(
            Map<Uuid, Map<Integer, Integer>> assignment) {
        List<ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions> topics = new ArrayList<>(assignment.size());
        assignment.forEach((topic, epochs) -> topics.add(new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions()
                .setTopicId(topic)
                .setPartitions(new ArrayList<>(epochs.keySet()))
                .setAssignmentEpochs(new ArrayList<>(epochs.values()))));
        return topics;
    }

    public static CoordinatorRecord regex(String group, String regex, ResolvedRegex resolved) {
        return record(
                new ConsumerGroupRegularExpressionKey().setGroupId(group).setRegularExpression(regex),
                new ConsumerGroupRegularExpressionValue()
                        .setTopics(sorted(resolved.topics()))
                        .setVersion(resolved.version())
                        .setTimestamp(resolved.timestampMs()));
    }

    private static List<String> sorted(Set<String> names) {
        return new ArrayList<>(new TreeSet<>(names));
    }

    public static CoordinatorRecord regexTombstone(String group, String regex) {
        return CoordinatorRecord.tombstone(
                new ConsumerGroupRegularExpressionKey().setGroupId(group).setRegularExpression(regex));
    }

    /** Kafka 4.0 kept the topics' sizes in a record of their own; it goes at the first chance. */
    public static CoordinatorRecord partitionMetadataTombstone(String group) {
        return CoordinatorRecord.tombstone(new ConsumerGroupPartitionMetadataKey().setGroupId(group));
    }

    public static CoordinatorRecord currentTombstone(String group, String member) {
        return CoordinatorRecord.tombstone(
                new ConsumerGroupCurrentMemberAssignmentKey().setGroupId(group).setMemberId(member));
    }

    public static CoordinatorRecord targetTombstone(String group, String member) {
        return CoordinatorRecord.tombstone(
                new ConsumerGroupTargetAssignmentMemberKey().setGroupId(group).setMemberId(member));
    }

    public static CoordinatorRecord memberTombstone(String group, String member) {
        return CoordinatorRecord.tombstone(
                new ConsumerGroupMemberMetadataKey().setGroupId(group).setMemberId(member));
    }

    /** Everything of a member, in the order in which replay can take it. */
    public static List<CoordinatorRecord> memberTombstones(String group, String member) {
        return List.of(currentTombstone(group, member), targetTombstone(group, member), memberTombstone(group, member));
    }

    /** Everything of a group whose members are these, in the order in which replay can take it. */
    public static List<CoordinatorRecord> groupTombstones(ConsumerGroup group, Iterable<String> members) {
        String id = group.id();
        List<CoordinatorRecord> records = new ArrayList<>();
        members.forEach(member -> records.add(currentTombstone(id, member)));
        members.forEach(member -> records.add(targetTombstone(id, member)));
        records.add(CoordinatorRecord.tombstone(new ConsumerGroupTargetAssignmentMetadataKey().setGroupId(id)));
        members.forEach(member -> records.add(memberTombstone(id, member)));
        group.subscriptions().resolved().keySet().forEach(regex -> records.add(regexTombstone(id, regex)));
        records.add(partitionMetadataTombstone(id));
        records.add(CoordinatorRecord.tombstone(new ConsumerGroupMetadataKey().setGroupId(id)));
        return records;
    }
}
