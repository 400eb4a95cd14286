package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.MemberProfile;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Assignment;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.Member;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.TopicPartitions;
import org.jspecify.annotations.Nullable;

/** Consumer groups as ConsumerGroupDescribe shows them. Pure. */
final class ConsumerDescriptions {
    private static final byte CLASSIC_MEMBER = 0;
    private static final byte CONSUMER_MEMBER = 1;

    private ConsumerDescriptions() {}

    /** @param defaultAssignor of a group whose members prefer none */
    static DescribedGroup of(ConsumerGroup group, String defaultAssignor, MetadataImage image) {
        @Nullable String preferred = group.preferredAssignor(null, null);
        return new DescribedGroup()
                .setGroupId(group.id())
                .setGroupState(group.state().toString())
                .setGroupEpoch(group.epoch())
                .setAssignmentEpoch(group.targetEpoch())
                .setAssignorName(preferred == null ? defaultAssignor : preferred)
                .setMembers(group.members().stream()
                        .map(member -> member(group, member, image))
                        .toList());
    }

    private static Member member(ConsumerGroup group, ConsumerMember member, MetadataImage image) {
        MemberProfile profile = member.profile();
        // what is being given up is still the member's
        Map<Uuid, List<Integer>> has = new HashMap<>();
        member.current().assigned().forEach((topic, epochs) -> add(has, topic, epochs.keySet()));
        member.current().pendingRevocation().forEach((topic, epochs) -> add(has, topic, epochs.keySet()));
        Map<Uuid, List<Integer>> target = new HashMap<>();
        group.target(member.id()).forEach((topic, partitions) -> add(target, topic, partitions));
        return new Member()
                .setMemberId(member.id())
                .setInstanceId(profile.instanceId())
                .setRackId(profile.rackId())
                .setMemberEpoch(member.epoch())
                .setClientId(profile.clientId())
                .setClientHost(profile.clientHost())
                .setSubscribedTopicNames(new ArrayList<>(profile.topicNames()))
                .setSubscribedTopicRegex(profile.topicRegex())
                .setAssignment(assignment(has, image))
                .setTargetAssignment(assignment(target, image))
                .setMemberType(profile.isClassic() ? CLASSIC_MEMBER : CONSUMER_MEMBER);
    }

    private static void add(Map<Uuid, List<Integer>> to, Uuid topic, Collection<Integer> partitions) {
        to.computeIfAbsent(topic, t -> new ArrayList<>()).addAll(partitions);
    }

    private static Assignment assignment(Map<Uuid, List<Integer>> partitions, MetadataImage image) {
        List<TopicPartitions> topics = new ArrayList<>(partitions.size());
        partitions.forEach((id, of) -> {
            @Nullable TopicImage topic = image.topic(id);
            if (topic != null) {
                topics.add(new TopicPartitions()
                        .setTopicId(id)
                        .setTopicName(topic.name())
                        .setPartitions(of.stream().sorted().toList()));
            }
        });
        return new Assignment().setTopicPartitions(topics);
    }
}
