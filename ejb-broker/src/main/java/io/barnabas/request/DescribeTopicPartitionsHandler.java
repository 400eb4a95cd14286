package io.barnabas.request;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Responder;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** Tells of topics page by page, with the eligible leader replicas (KIP-966). Answered from the image at once. */
public final class DescribeTopicPartitionsHandler implements ApiHandler<DescribeTopicPartitionsRequestData> {
    private final ControlPlane plane;
    private final Supplier<Set<Integer>> silent;

    /** @param silent brokers of which nothing is heard here: as in {@link MetadataHandler}, nobody is sent there */
    public DescribeTopicPartitionsHandler(ControlPlane plane, Supplier<Set<Integer>> silent) {
        this.plane = plane;
        this.silent = silent;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_TOPIC_PARTITIONS;
    }

    @Override
    public void handle(DescribeTopicPartitionsRequestData request, RequestContext context, Responder responder) {
        ClusterView view = new ClusterView(plane, plane.metadata().image(), context.listenerName(), silent.get());
        boolean all = request.topics().isEmpty();
        DescribeTopicPartitionsRequestData.@Nullable Cursor cursor = request.cursor();
        SortedSet<String> names = names(request, view.image());
        if (cursor != null && !all && !names.contains(cursor.topicName())) {
            throw new InvalidRequestException(
                    "DescribeTopicPartitionsRequest topic list should contain the cursor topic: " + cursor.topicName());
        }
        if (cursor != null && cursor.partitionIndex() < 0) {
            throw new InvalidRequestException(
                    "DescribeTopicPartitionsRequest cursor partition must be valid: " + cursor);
        }
        int limit = Math.max(
                1,
                Math.min(
                        plane.config().current().getInt("max.request.partition.size.limit"),
                        request.responsePartitionLimit()));
        responder.respond(page(names, cursor, limit, view, all));
    }

    private static SortedSet<String> names(DescribeTopicPartitionsRequestData request, MetadataImage image) {
        TreeSet<String> names = new TreeSet<>();
        if (request.topics().isEmpty()) {
            image.topics().forEach(t -> names.add(t.name()));
        } else {
            request.topics().forEach(t -> names.add(t.name()));
        }
        return request.cursor() == null ? names : names.tailSet(request.cursor().topicName());
    }

    private static DescribeTopicPartitionsResponseData page(
            SortedSet<String> names,
            DescribeTopicPartitionsRequestData.@Nullable Cursor cursor,
            int limit,
            ClusterView view,
            boolean all) {
        DescribeTopicPartitionsResponseData response = new DescribeTopicPartitionsResponseData();
        int left = limit;
        for (String name : names) {
            if (left == 0) {
                response.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(0));
                return response;
            }
            @Nullable TopicImage topic = view.image().topic(name);
            if (topic == null) {
                if (!all) {
                    response.topics().add(unknown(name));
                }
                continue;
            }
            int from = cursor != null && cursor.topicName().equals(name) ? cursor.partitionIndex() : 0;
            int count = topic.partitions().size();
            int to = (int) Math.min(count, (long) from + left);
            response.topics().add(topic(topic, from, to, view));
            if (to < count) {
                response.setNextCursor(new Cursor().setTopicName(name).setPartitionIndex(to));
                return response;
            }
            left -= Math.max(0, to - from);
        }
        return response;
    }

    private static DescribeTopicPartitionsResponseTopic unknown(String name) {
        return new DescribeTopicPartitionsResponseTopic()
                .setErrorCode(AutoTopicCreation.error(name).code())
                .setName(name)
                .setTopicId(Uuid.ZERO_UUID)
                .setIsInternal(Topic.isInternal(name))
                .setTopicAuthorizedOperations(AuthorizedOperations.TOPIC);
    }

    private static DescribeTopicPartitionsResponseTopic topic(TopicImage topic, int from, int to, ClusterView view) {
        DescribeTopicPartitionsResponseTopic result = new DescribeTopicPartitionsResponseTopic()
                .setErrorCode(Errors.NONE.code())
                .setName(topic.name())
                .setTopicId(topic.id())
                .setIsInternal(Topic.isInternal(topic.name()))
                .setTopicAuthorizedOperations(AuthorizedOperations.TOPIC);
        for (int p = from; p < to; p++) {
            PartitionImage partition = topic.partitions().get(p);
            result.partitions()
                    .add(new DescribeTopicPartitionsResponsePartition()
                            .setPartitionIndex(p)
                            .setLeaderId(view.leader(partition))
                            .setLeaderEpoch(partition.leaderEpoch())
                            .setReplicaNodes(partition.replicas())
                            .setIsrNodes(partition.isr())
                            .setOfflineReplicas(view.offline(partition))
                            .setEligibleLeaderReplicas(partition.elr())
                            .setLastKnownElr(partition.lastKnownElr()));
        }
        return result;
    }
}
