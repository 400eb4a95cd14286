package io.barnabas.coordinator.group.consumer;

import java.util.Set;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupMemberMetadataValue.ClassicMemberMetadata;
import org.jspecify.annotations.Nullable;

/**
 * What a member says of itself: one ConsumerGroupMemberMetadata record. Immutable.
 *
 * @param instanceId of a static member, or null
 * @param rackId or null
 * @param rebalanceTimeoutMs how long it may take to give partitions up; -1 where it never said
 * @param clientHost the address with a slash before it
 * @param topicNames subscribed by name
 * @param topicRegex subscribed by pattern (RE2), or empty
 * @param assignor the server's assignor that it would have, or null
 * @param classic the classic protocol's part, if the member speaks that; else null
 */
public record MemberProfile(
        @Nullable String instanceId,
        @Nullable String rackId,
        int rebalanceTimeoutMs,
        String clientId,
        String clientHost,
        Set<String> topicNames,
        String topicRegex,
        @Nullable String assignor,
        @Nullable ClassicMemberMetadata classic) {
    /** Of a member that has said nothing yet. */
    public static final MemberProfile NONE = new MemberProfile(null, null, -1, "", "", Set.of(), "", null, null);

    static MemberProfile of(ConsumerGroupMemberMetadataValue value) {
        return new MemberProfile(
                value.instanceId(),
                value.rackId(),
                value.rebalanceTimeoutMs(),
                value.clientId(),
                value.clientHost(),
                Set.copyOf(value.subscribedTopicNames()),
                value.subscribedTopicRegex() == null ? "" : value.subscribedTopicRegex(),
                value.serverAssignor(),
                value.classicMemberMetadata());
    }

    /** Whether the member joined by JoinGroup and lives by the classic protocol in this group. */
    public boolean isClassic() {
        return classic != null;
    }
}
