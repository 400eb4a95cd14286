package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.port.Responder;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetDeleteResponse;

/** OffsetDelete 0 (KIP-496). */
public final class OffsetDeleteHandler implements ApiHandler<OffsetDeleteRequestData> {
    private final GroupCoordinator groups;
    private final Metadata metadata;

    public OffsetDeleteHandler(GroupCoordinator groups, Metadata metadata) {
        this.groups = groups;
        this.metadata = metadata;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_DELETE;
    }

    @Override
    public void handle(OffsetDeleteRequestData request, RequestContext context, Responder responder) {
        MetadataImage image = metadata.image();
        OffsetDeleteResponse.Builder builder = new OffsetDeleteResponse.Builder();
        OffsetDeleteRequestTopicCollection known = new OffsetDeleteRequestTopicCollection();
        for (OffsetDeleteRequestTopic topic : request.topics()) {
            OffsetDeleteRequestTopic present = new OffsetDeleteRequestTopic().setName(topic.name());
            for (OffsetDeleteRequestPartition partition : topic.partitions()) {
                if (image.partition(topic.name(), partition.partitionIndex()) != null) {
                    present.partitions().add(partition.duplicate());
                } else {
                    builder.addPartition(topic.name(), partition.partitionIndex(), Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }
            }
            if (!present.partitions().isEmpty()) {
                known.add(present);
            }
        }
        OffsetDeleteRequestData checked =
                new OffsetDeleteRequestData().setGroupId(request.groupId()).setTopics(known);
        GroupResponses.respond(
                groups.deleteOffsets(checked).thenApply(answer -> merged(builder, answer)), context, responder);
    }

    private static OffsetDeleteResponseData merged(
            OffsetDeleteResponse.Builder builder, OffsetDeleteResponseData answer) {
        return builder.merge(answer).build().data();
    }
}
