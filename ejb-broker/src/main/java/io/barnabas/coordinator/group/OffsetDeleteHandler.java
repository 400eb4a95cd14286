package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.ConsumerGroup;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponsePartition;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** OffsetDelete (KIP-496): offsets of topics that the group is not subscribed to. Confined to the shard's serial executor. */
final class OffsetDeleteHandler {
    private final ShardContext context;

    OffsetDeleteHandler(ShardContext context) {
        this.context = context;
    }

    /** @throws ApiException GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP if it has members that are no consumers */
    OffsetDeleteResponseData handle(OffsetDeleteRequestData request, Outcome outcome) {
        String groupId = request.groupId();
        @Nullable ClassicGroup group = context.groups().find(groupId);
        @Nullable ConsumerGroup consumer = context.groups().consumer(groupId);
        if (group == null && consumer == null && !context.groups().isForeign(groupId)) {
            throw Errors.GROUP_ID_NOT_FOUND.exception();
        }
        if (group != null && !group.is(GroupState.EMPTY) && !group.usesConsumerProtocol()) {
            throw Errors.NON_EMPTY_GROUP.exception();
        }
        OffsetDeleteResponseData response = new OffsetDeleteResponseData();
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            OffsetDeleteResponseTopic answered = new OffsetDeleteResponseTopic().setName(topic.name());
            boolean subscribed = (group != null && group.isSubscribedTo(topic.name()))
                    || (consumer != null && consumer.subscriptions().has(topic.name()));
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                int index = partition.partitionIndex();
                if (!subscribed && has(groupId, topic.name(), index)) {
                    outcome.append(GroupRecords.offsetTombstone(groupId, topic.name(), index));
                }
                Errors error = subscribed ? Errors.GROUP_SUBSCRIBED_TO_TOPIC : Errors.NONE;
                answered.partitions()
                        .add(new OffsetDeleteResponsePartition()
                                .setPartitionIndex(index)
                                .setErrorCode(error.code()));
            }
            response.topics().add(answered);
        }
        return response;
    }

    private boolean has(String group, String topic, int partition) {
        return context.offsets().committed().get(group, topic, partition) != null
                || context.offsets().isUnstable(group, topic, partition);
    }
}
