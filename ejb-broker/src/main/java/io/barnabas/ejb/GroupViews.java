package io.barnabas.ejb;

import io.barnabas.admin.GroupDetail;
import io.barnabas.admin.GroupDetail.MemberView;
import io.barnabas.admin.GroupDetail.OffsetView;
import io.barnabas.admin.GroupView;
import io.barnabas.coordinator.group.ClientInfo;
import io.barnabas.partition.LocalPartition;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroupMember;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.types.SchemaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The console's views of groups, asked of the coordinator as a client would ask. A shard that does not answer within {@value #WAIT_MS} ms
 * (it is loading) leaves its groups out. Safe from any thread but an event loop.
 */
final class GroupViews {
    private static final Logger LOG = LoggerFactory.getLogger(GroupViews.class);
    private static final String CLASSIC = "classic";
    private static final String CONSUMER = "consumer";
    private static final long WAIT_MS = 2_000;
    private static final ClientInfo CONSOLE = new ClientInfo((short) 6, "barnabas-console", "/127.0.0.1");

    private final BrokerNode node;

    GroupViews(BrokerNode node) {
        this.node = node;
    }

    /** What the API of a group's kind says of it: its protocol or assignor, and its members. */
    private record Described(String protocol, List<MemberView> members) {
        private static final Described NOTHING = new Described("", List.of());
    }

    List<GroupView> all() {
        List<ListedGroup> listed = listed();
        Map<String, Described> described = described(listed);
        return listed.stream()
                .map(group -> view(
                        group, described.getOrDefault(group.groupId(), Described.NOTHING), offsets(group.groupId())))
                .sorted(Comparator.comparing(GroupView::id))
                .toList();
    }

    Optional<GroupDetail> detail(String id) {
        Optional<ListedGroup> listed =
                listed().stream().filter(group -> group.groupId().equals(id)).findFirst();
        return listed.map(group -> {
            Described described = described(List.of(group)).getOrDefault(id, Described.NOTHING);
            List<OffsetView> offsets = offsets(id);
            return new GroupDetail(view(group, described, offsets), described.members(), offsets);
        });
    }

    private List<ListedGroup> listed() {
        return answer(node.groups().list(List.of(), List.of()), List.of());
    }

    private Map<String, Described> described(List<ListedGroup> groups) {
        Map<String, Described> described = new HashMap<>();
        answer(node.groups().describe(CONSOLE, ids(groups, CLASSIC)), List.<DescribedGroup>of())
                .forEach(group -> described.put(
                        group.groupId(),
                        new Described(
                                group.protocolData(),
                                group.members().stream().map(GroupViews::member).toList())));
        answer(
                        node.groups().describeConsumers(ids(groups, CONSUMER)),
                        List.<ConsumerGroupDescribeResponseData.DescribedGroup>of())
                .forEach(group -> described.put(
                        group.groupId(),
                        new Described(
                                group.assignorName(),
                                group.members().stream().map(GroupViews::member).toList())));
        return described;
    }

    private static List<String> ids(List<ListedGroup> groups, String type) {
        return groups.stream()
                .filter(group -> group.groupType().equals(type))
                .map(ListedGroup::groupId)
                .toList();
    }

    private static GroupView view(ListedGroup listed, Described described, List<OffsetView> offsets) {
        long lag = offsets.isEmpty()
                ? -1
                : offsets.stream()
                        .mapToLong(offset -> Math.max(0, offset.lag()))
                        .sum();
        return new GroupView(
                listed.groupId(),
                listed.groupType(),
                listed.groupState(),
                described.protocol(),
                described.members().size(),
                (int) offsets.stream().map(OffsetView::topic).distinct().count(),
                lag);
    }

    private static MemberView member(ConsumerGroupDescribeResponseData.Member member) {
        @Nullable String instance = member.instanceId();
        return new MemberView(
                member.memberId(),
                instance == null ? "" : instance,
                member.clientId(),
                member.clientHost(),
                member.assignment().topicPartitions().stream()
                        .flatMap(topic ->
                                topic.partitions().stream().map(partition -> topic.topicName() + "-" + partition))
                        .sorted()
                        .toList());
    }

    private static MemberView member(DescribedGroupMember member) {
        @Nullable String instance = member.groupInstanceId();
        return new MemberView(
                member.memberId(),
                instance == null ? "" : instance,
                member.clientId(),
                member.clientHost(),
                assignment(member.memberAssignment()));
    }

    /** Partitions as topic-partition; empty for what no consumer wrote (the assignment is opaque to the broker). */
    private static List<String> assignment(byte[] bytes) {
        if (bytes.length == 0) {
            return List.of();
        }
        try {
            return ConsumerProtocol.deserializeAssignment(ByteBuffer.wrap(bytes)).partitions().stream()
                    .map(Object::toString)
                    .sorted()
                    .toList();
        } catch (SchemaException | IllegalArgumentException | java.nio.BufferUnderflowException notAConsumers) {
            return List.of();
        }
    }

    private List<OffsetView> offsets(String groupId) {
        OffsetFetchRequestGroup everything =
                new OffsetFetchRequestGroup().setGroupId(groupId).setTopics(null);
        OffsetFetchResponseGroup answer = answer(
                node.groups().fetch(CONSOLE, everything, false), new OffsetFetchResponseGroup().setGroupId(groupId));
        List<OffsetView> views = new ArrayList<>();
        if (answer.errorCode() == Errors.NONE.code()) {
            for (OffsetFetchResponseTopics topic : answer.topics()) {
                topic.partitions().forEach(partition -> views.add(offset(topic.name(), partition)));
            }
        }
        views.sort(Comparator.comparing(OffsetView::topic).thenComparingInt(OffsetView::partition));
        return views;
    }

    private OffsetView offset(String topic, OffsetFetchResponsePartitions committed) {
        @Nullable LocalPartition here = node.partitions().partition(topic, committed.partitionIndex());
        long end = here != null && here.online() ? here.highWatermark() : -1;
        long lag = end < 0 ? -1 : Math.max(0, end - committed.committedOffset());
        @Nullable String metadata = committed.metadata();
        return new OffsetView(
                topic,
                committed.partitionIndex(),
                committed.committedOffset(),
                end,
                lag,
                metadata == null ? "" : metadata);
    }

    private static <T> T answer(CompletableFuture<? extends T> future, T otherwise) {
        try {
            return future.get(WAIT_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("a view of groups is incomplete", e);
            return otherwise;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return otherwise;
        }
    }
}
