package io.barnabas.request;

import io.barnabas.coordinator.group.ClientInfo;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetFetchResponse;
import org.jspecify.annotations.Nullable;

/** OffsetFetch 1–10: several groups from version 8 on (KIP-709), topics by id from version 10 on (KIP-848). */
public final class OffsetFetchHandler implements ApiHandler<OffsetFetchRequestData> {
    private final GroupCoordinator groups;
    private final Metadata metadata;

    public OffsetFetchHandler(GroupCoordinator groups, Metadata metadata) {
        this.groups = groups;
        this.metadata = metadata;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.OFFSET_FETCH;
    }

    @Override
    public void handle(OffsetFetchRequestData request, RequestContext context, Responder responder) {
        List<CompletableFuture<OffsetFetchResponseGroup>> answers = new ArrayList<>();
        for (OffsetFetchRequestGroup group : groupsOf(request, context.version())) {
            answers.add(fetch(group, request.requireStable(), context));
        }
        short version = context.version();
        GroupResponses.respond(
                CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0]))
                        .thenApply(all -> new OffsetFetchResponse.Builder(answers.stream()
                                        .map(CompletableFuture::join)
                                        .toList())
                                .build(version)
                                .data()),
                context,
                responder);
    }

    private static List<OffsetFetchRequestGroup> groupsOf(OffsetFetchRequestData request, short version) {
        if (version >= OffsetFetchRequest.BATCH_MIN_VERSION) {
            return distinctGroups(request.groups());
        }
        OffsetFetchRequestGroup group = new OffsetFetchRequestGroup().setGroupId(request.groupId());
        if (request.topics() == null) {
            return List.of(group.setTopics(null));
        }
        request.topics().forEach(topic -> group.topics()
                .add(new OffsetFetchRequestTopics()
                        .setName(topic.name())
                        .setPartitionIndexes(topic.partitionIndexes())));
        return List.of(group);
    }

    /** A group that is named again is not told again: a small request makes no large answer. */
    private static List<OffsetFetchRequestGroup> distinctGroups(List<OffsetFetchRequestGroup> groups) {
        Map<String, OffsetFetchRequestGroup> distinct = new LinkedHashMap<>();
        groups.forEach(group -> distinct.putIfAbsent(group.groupId(), group));
        return List.copyOf(distinct.values());
    }

    /** Nor is a partition: metadata of a commit may be a thousand times as long as its name here. */
    private static List<OffsetFetchRequestTopics> distinct(List<OffsetFetchRequestTopics> topics, boolean byId) {
        Map<Object, OffsetFetchRequestTopics> distinct = new LinkedHashMap<>();
        Map<Object, Set<Integer>> partitions = new HashMap<>();
        for (OffsetFetchRequestTopics topic : topics) {
            Object key = byId ? topic.topicId() : topic.name();
            distinct.putIfAbsent(key, topic);
            partitions.computeIfAbsent(key, k -> new LinkedHashSet<>()).addAll(topic.partitionIndexes());
        }
        distinct.forEach(
                (key, topic) -> topic.setPartitionIndexes(List.copyOf(partitions.getOrDefault(key, Set.of()))));
        return List.copyOf(distinct.values());
    }

    private CompletableFuture<OffsetFetchResponseGroup> fetch(
            OffsetFetchRequestGroup group, boolean requireStable, RequestContext context) {
        ClientInfo client = GroupResponses.client(context);
        boolean byId = OffsetFetchRequest.useTopicIds(context.version());
        if (group.topics() == null) {
            return groups.fetch(client, group, requireStable).thenApply(answer -> byId ? withIds(answer) : answer);
        }
        group.setTopics(distinct(group.topics(), byId));
        List<OffsetFetchResponseTopics> refused = new ArrayList<>(0);
        if (byId) {
            group.setTopics(named(group.topics(), refused));
        }
        return groups.fetch(client, group, requireStable).thenApply(answer -> {
            if (answer.errorCode() == Errors.NONE.code() && !refused.isEmpty()) {
                List<OffsetFetchResponseTopics> topics = new ArrayList<>(answer.topics());
                topics.addAll(refused);
                answer.setTopics(topics);
            }
            return answer;
        });
    }

    private List<OffsetFetchRequestTopics> named(
            List<OffsetFetchRequestTopics> topics, List<OffsetFetchResponseTopics> refused) {
        List<OffsetFetchRequestTopics> known = new ArrayList<>(topics.size());
        for (OffsetFetchRequestTopics topic : topics) {
            @Nullable TopicImage image = metadata.image().topic(topic.topicId());
            if (image != null) {
                known.add(topic.setName(image.name()));
                continue;
            }
            OffsetFetchResponseTopics answered = new OffsetFetchResponseTopics().setTopicId(topic.topicId());
            topic.partitionIndexes().forEach(partition -> answered.partitions()
                    .add(new OffsetFetchResponsePartitions()
                            .setPartitionIndex(partition)
                            .setCommittedOffset(OffsetFetchResponse.INVALID_OFFSET)
                            .setErrorCode(Errors.UNKNOWN_TOPIC_ID.code())));
            refused.add(answered);
        }
        return known;
    }

    /** A topic that is gone has no id to be answered by. */
    private OffsetFetchResponseGroup withIds(OffsetFetchResponseGroup answer) {
        List<OffsetFetchResponseTopics> known = new ArrayList<>(answer.topics().size());
        for (OffsetFetchResponseTopics topic : answer.topics()) {
            @Nullable TopicImage image = metadata.image().topic(topic.name());
            Uuid id = image == null ? Uuid.ZERO_UUID : image.id();
            if (!id.equals(Uuid.ZERO_UUID)) {
                known.add(topic.setTopicId(id));
            }
        }
        return answer.setTopics(known);
    }
}
