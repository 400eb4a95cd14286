package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponsePartition;
import org.apache.kafka.common.message.OffsetCommitResponseData.OffsetCommitResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * OffsetCommit 2–10: finds the topics, by id from version 10 on (KIP-848), and leaves those that are there to the group coordinator.
 */
public final class OffsetCommitHandler implements ApiHandler<OffsetCommitRequestData> {
    private static final int TOPIC_ID_VERSION = 10;

    private final GroupCoordinator groups;
    private final Metadata metadata;

    public OffsetCommitHandler(GroupCoordinator groups, Metadata metadata) {
        this.groups = groups;
        this.metadata = metadata;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_COMMIT;
    }

    @Override
    public void handle(OffsetCommitRequestData request, RequestContext context, Responder responder) {
        MetadataImage image = metadata.image();
        List<OffsetCommitRequestTopic> known = new ArrayList<>(request.topics().size());
        List<OffsetCommitResponseTopic> refused = new ArrayList<>(0);
        boolean byId = context.version() >= TOPIC_ID_VERSION;
        for (OffsetCommitRequestTopic topic : request.topics()) {
            @Nullable TopicImage found = byId ? image.topic(topic.topicId()) : image.topic(topic.name());
            if (found == null) {
                refuse(topic, byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION, refused);
            } else {
                split(topic.setName(found.name()).setTopicId(found.id()), found, known, refused);
            }
        }
        if (known.isEmpty()) {
            responder.respond(new OffsetCommitResponseData().setTopics(refused));
            return;
        }
        request.setTopics(known);
        GroupResponses.respond(
                groups.commit(GroupResponses.client(context), request).thenApply(answer -> merge(answer, refused)),
                context,
                responder);
    }

    private static void refuse(OffsetCommitRequestTopic topic, Errors error, List<OffsetCommitResponseTopic> refused) {
        OffsetCommitResponseTopic answered =
                new OffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
        topic.partitions().forEach(partition -> refuse(partition, error, answered));
        refused.add(answered);
    }

    private static void refuse(
            OffsetCommitRequestPartition partition, Errors error, OffsetCommitResponseTopic answered) {
        answered.partitions()
                .add(new OffsetCommitResponsePartition()
                        .setPartitionIndex(partition.partitionIndex())
                        .setErrorCode(error.code()));
    }

    private static void split(
            OffsetCommitRequestTopic topic,
            TopicImage image,
            List<OffsetCommitRequestTopic> known,
            List<OffsetCommitResponseTopic> refused) {
        int count = image.partitions().size();
        List<OffsetCommitRequestPartition> present =
                new ArrayList<>(topic.partitions().size());
        @Nullable OffsetCommitResponseTopic answered = null;
        for (OffsetCommitRequestPartition partition : topic.partitions()) {
            if (partition.partitionIndex() >= 0 && partition.partitionIndex() < count) {
                present.add(partition);
                continue;
            }
            if (answered == null) {
                answered = new OffsetCommitResponseTopic().setName(topic.name()).setTopicId(topic.topicId());
                refused.add(answered);
            }
            refuse(partition, Errors.UNKNOWN_TOPIC_OR_PARTITION, answered);
        }
        if (!present.isEmpty()) {
            known.add(topic.setPartitions(present));
        }
    }

    /** A topic is answered once, with all its partitions. */
    private static OffsetCommitResponseData merge(
            OffsetCommitResponseData answer, List<OffsetCommitResponseTopic> refused) {
        if (refused.isEmpty()) {
            return answer;
        }
        Map<TopicKey, OffsetCommitResponseTopic> topics = new LinkedHashMap<>();
        Stream.concat(answer.topics().stream(), refused.stream())
                .forEach(topic -> topics.merge(TopicKey.of(topic), topic, (first, more) -> {
                    first.partitions().addAll(more.partitions());
                    return first;
                }));
        return answer.setTopics(new ArrayList<>(topics.values()));
    }

    private record TopicKey(String name, Uuid id) {
        static TopicKey of(OffsetCommitResponseTopic topic) {
            return new TopicKey(topic.name(), topic.topicId());
        }
    }
}
