package io.barnabas.coordinator.group;

import java.util.List;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.jspecify.annotations.Nullable;

/** What members of the group {@link GroupFixture#GROUP} say; tests change what they want otherwise. */
final class ConsumerRequests {
    static final int REBALANCE_MS = 60_000;

    private ConsumerRequests() {}

    /** A heartbeat that says nothing new. */
    static ConsumerGroupHeartbeatRequestData request(String memberId, int epoch) {
        return new ConsumerGroupHeartbeatRequestData()
                .setGroupId(GroupFixture.GROUP)
                .setMemberId(memberId)
                .setMemberEpoch(epoch)
                .setTopicPartitions(null)
                .setSubscribedTopicNames(null)
                .setSubscribedTopicRegex(null);
    }

    /** The first heartbeat, of a member that wants the topic t. */
    static ConsumerGroupHeartbeatRequestData joining(String memberId, @Nullable String instanceId) {
        return request(memberId, 0)
                .setInstanceId(instanceId)
                .setRebalanceTimeoutMs(REBALANCE_MS)
                .setTopicPartitions(List.of())
                .setSubscribedTopicNames(List.of("t"));
    }
}
