package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.consumer.ConsumerMember;
import io.barnabas.coordinator.group.consumer.CurrentAssignment;
import io.barnabas.coordinator.group.consumer.MemberProfile;
import io.barnabas.coordinator.group.consumer.MemberState;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerProtocolAssignment;
import org.apache.kafka.common.message.ConsumerProtocolSubscription;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocolCollection;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicMemberMetadata;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicProtocol;
import org.jspecify.annotations.Nullable;

/**
 * A classic group's member as a consumer group has it: the bytes that consumers exchange among themselves (the embedded consumer
 * protocol), read and written. Pure; malformed bytes make some RuntimeException.
 *
 * @param target what it had
 */
record ClassicMembership(ConsumerMember member, Map<Uuid, Set<Integer>> target) {

    /** @throws UnsupportedVersionException the assignment has data of an assignor's own, which nobody would keep */
    static ClassicMembership of(Member member, int generation, MetadataImage image) {
        // all protocols of a consumer have the same subscription
        ConsumerProtocolSubscription subscription =
                subscription(member.protocols.iterator().next().metadata());
        Map<Uuid, Set<Integer>> target = member.assignment.length == 0 ? Map.of() : target(member.assignment, image);
        Map<Uuid, Map<Integer, Integer>> assigned = new HashMap<>();
        target.forEach((topic, partitions) -> {
            Map<Integer, Integer> epochs = new HashMap<>();
            partitions.forEach(partition -> epochs.put(partition, generation));
            assigned.put(topic, epochs);
        });
        MemberProfile profile = new MemberProfile(
                member.instanceId,
                rack(subscription),
                member.rebalanceTimeoutMs,
                member.clientId,
                member.clientHost,
                Set.copyOf(subscription.topics()),
                "",
                null,
                metadata(member.protocols, member.sessionTimeoutMs));
        CurrentAssignment current =
                new CurrentAssignment(generation, generation, MemberState.STABLE, assigned, Map.of());
        return new ClassicMembership(new ConsumerMember(member.id, profile, current), target);
    }

    static ConsumerProtocolSubscription subscription(byte[] metadata) {
        return ConsumerProtocol.deserializeConsumerProtocolSubscription(ByteBuffer.wrap(metadata));
    }

    static @Nullable String rack(ConsumerProtocolSubscription subscription) {
        @Nullable String rack = subscription.rackId();
        return rack == null || rack.isEmpty() ? null : rack;
    }

    static ClassicMemberMetadata metadata(JoinGroupRequestProtocolCollection protocols, int sessionTimeoutMs) {
        List<ClassicProtocol> supported = new ArrayList<>(protocols.size());
        protocols.forEach(protocol ->
                supported.add(new ClassicProtocol().setName(protocol.name()).setMetadata(protocol.metadata())));
        return new ClassicMemberMetadata().setSessionTimeoutMs(sessionTimeoutMs).setSupportedProtocols(supported);
    }

    private static Map<Uuid, Set<Integer>> target(byte[] bytes, MetadataImage image) {
        ConsumerProtocolAssignment assignment =
                ConsumerProtocol.deserializeConsumerProtocolAssignment(ByteBuffer.wrap(bytes));
        if (assignment.userData() != null && assignment.userData().hasRemaining()) {
            throw new UnsupportedVersionException("userData from a custom assignor would be lost");
        }
        Map<Uuid, Set<Integer>> target = new HashMap<>();
        assignment.assignedPartitions().forEach(topic -> {
            @Nullable TopicImage found = image.topic(topic.topic());
            if (found != null) {
                target.put(found.id(), new HashSet<>(topic.partitions()));
            }
        });
        return target;
    }

    /** What a member says it owns, in the form of a heartbeat. */
    static List<TopicPartitions> owned(ConsumerProtocolSubscription subscription, MetadataImage image) {
        List<TopicPartitions> owned = new ArrayList<>();
        subscription.ownedPartitions().forEach(topic -> {
            @Nullable TopicImage found = image.topic(topic.topic());
            if (found != null) {
                owned.add(new TopicPartitions().setTopicId(found.id()).setPartitions(topic.partitions()));
            }
        });
        return owned;
    }

    /** An assignment as SyncGroup hands it out, in the version of the member's own metadata. */
    static byte[] assignment(Map<Uuid, ? extends Set<Integer>> partitions, MemberProfile profile, MetadataImage image) {
        ConsumerProtocolAssignment.TopicPartitionCollection topics =
                new ConsumerProtocolAssignment.TopicPartitionCollection();
        partitions.forEach((topic, of) -> {
            @Nullable TopicImage found = image.topic(topic);
            if (found != null) {
                topics.add(new ConsumerProtocolAssignment.TopicPartition()
                        .setTopic(found.name())
                        .setPartitions(new ArrayList<>(of)));
            }
        });
        ClassicMemberMetadata classic = profile.classic();
        byte[] metadata = classic == null || classic.supportedProtocols().isEmpty()
                ? new byte[0]
                : classic.supportedProtocols().get(0).metadata();
        return Utils.toArray(ConsumerProtocol.serializeAssignment(
                new ConsumerProtocolAssignment().setAssignedPartitions(topics),
                ConsumerProtocol.deserializeVersion(ByteBuffer.wrap(metadata))));
    }
}
