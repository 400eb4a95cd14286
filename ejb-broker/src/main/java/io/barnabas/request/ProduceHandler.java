package io.barnabas.request;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Responder;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/**
 * Appends what producers send. Each partition's batch is checked and appended on the connection's event loop; at replication
 * factor 1 and durability {@code os} it is committed by then and the answer leaves at once, else {@link ProduceAnswer} waits.
 */
public final class ProduceHandler implements ApiHandler<ProduceRequestData> {
    private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;

    private final DataPath path;

    public ProduceHandler(DataPath path) {
        this.path = path;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.PRODUCE;
    }

    @Override
    public void handle(ProduceRequestData request, RequestContext context, Responder responder) {
        if (request.transactionalId() == null && hasTransactionalBatch(request)) {
            throw new TransactionalIdAuthorizationException("Transactional records without a transactional id");
        }
        ProduceAnswer answer = new ProduceAnswer(path, request, context, responder);
        MetadataImage image = path.metadata().image();
        for (TopicProduceData topic : request.topicData()) {
            @Nullable String name = topicName(topic, context.version(), image);
            answer.beginTopic(topic, name);
            for (PartitionProduceData partition : topic.partitionData()) {
                answer.append(partition);
            }
        }
        answer.finish();
    }

    /** The name of the topic, or null for an id that no topic has. */
    private static @Nullable String topicName(TopicProduceData topic, short version, MetadataImage image) {
        if (version < FIRST_VERSION_WITH_TOPIC_IDS || topic.topicId().equals(Uuid.ZERO_UUID)) {
            return version < FIRST_VERSION_WITH_TOPIC_IDS ? topic.name() : null;
        }
        @Nullable TopicImage known = image.topic(topic.topicId());
        return known == null ? null : known.name();
    }

    private static boolean hasTransactionalBatch(ProduceRequestData request) {
        for (TopicProduceData topic : request.topicData()) {
            for (PartitionProduceData partition : topic.partitionData()) {
                if (ProducedBatch.isTransactional(partition.records())) {
                    return true;
                }
            }
        }
        return false;
    }
}
