package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetFetchResponse;
import org.jspecify.annotations.Nullable;

/** OffsetFetch for one group; a group that is not there has no offsets. Confined to the shard's serial executor. */
final class OffsetFetchHandler {
    private final ShardContext context;

    OffsetFetchHandler(ShardContext context) {
        this.context = context;
    }

    /**
     * Answers.
     *
     * @param requireStable partitions with undecided transactional offsets are answered UNSTABLE_OFFSET_COMMIT (KIP-447)
     * @throws org.apache.kafka.common.errors.ApiException STALE_MEMBER_EPOCH, UNKNOWN_MEMBER_ID of a consumer group's member
     */
    OffsetFetchResponseGroup handle(OffsetFetchRequestGroup request, boolean requireStable) {
        String group = request.groupId();
        @Nullable ConsumerGroup consumer = context.groups().consumer(group);
        if (consumer != null) {
            ConsumerOffsets.validateFetch(consumer, request.memberId(), request.memberEpoch());
        }
        List<OffsetFetchResponseTopics> topics = new ArrayList<>();
        if (request.topics() == null) {
            context.offsets().committed().topics(group).forEach((topic, offsets) -> {
                OffsetFetchResponseTopics answered = new OffsetFetchResponseTopics().setName(topic);
                Map<Integer, Set<Long>> unstable = unstable(group, topic, requireStable);
                offsets.forEach((partition, offset) ->
                        answered.partitions().add(answer(partition, offset, unstable.containsKey(partition))));
                topics.add(answered);
            });
        } else {
            request.topics().forEach(topic -> topics.add(answer(group, topic, requireStable)));
        }
        return new OffsetFetchResponseGroup().setGroupId(group).setTopics(topics);
    }

    private OffsetFetchResponseTopics answer(String group, OffsetFetchRequestTopics topic, boolean requireStable) {
        OffsetFetchResponseTopics answered =
                new OffsetFetchResponseTopics().setName(topic.name()).setTopicId(topic.topicId());
        @Nullable
        Map<Integer, CommittedOffset> offsets = context.offsets().committed().partitions(group, topic.name());
        Map<Integer, Set<Long>> unstable = unstable(group, topic.name(), requireStable);
        for (Integer partition : topic.partitionIndexes()) {
            @Nullable CommittedOffset offset = offsets == null ? null : offsets.get(partition);
            answered.partitions()
                    .add(answer(partition, ofTopic(offset, topic.topicId()), unstable.containsKey(partition)));
        }
        return answered;
    }

    private Map<Integer, Set<Long>> unstable(String group, String topic, boolean asked) {
        return asked ? context.offsets().openTransactions(group).getOrDefault(topic, Map.of()) : Map.of();
    }

    /** An offset of an earlier topic of the same name is none of this one. */
    private static @Nullable CommittedOffset ofTopic(@Nullable CommittedOffset offset, Uuid topicId) {
        return offset != null && offset.isOf(topicId) ? offset : null;
    }

    private static OffsetFetchResponsePartitions answer(
            int partition, @Nullable CommittedOffset offset, boolean unstable) {
        OffsetFetchResponsePartitions answered =
                new OffsetFetchResponsePartitions().setPartitionIndex(partition).setMetadata("");
        if (unstable) {
            return answered.setCommittedOffset(OffsetFetchResponse.INVALID_OFFSET)
                    .setErrorCode(Errors.UNSTABLE_OFFSET_COMMIT.code());
        }
        if (offset == null) {
            return answered.setCommittedOffset(OffsetFetchResponse.INVALID_OFFSET);
        }
        return answered.setCommittedOffset(offset.offset())
                .setCommittedLeaderEpoch(offset.leaderEpoch())
                .setMetadata(offset.metadata());
    }
}
