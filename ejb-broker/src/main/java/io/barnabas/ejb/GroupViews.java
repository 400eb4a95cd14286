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
    private static final long WAIT_MS = 2_000;
    private static final ClientInfo CONSOLE = new ClientInfo((short) 6, "barnabas-console", "/127.0.0.1");

    private final BrokerNode node;

    GroupViews(BrokerNode node) {
        this.node = node;
    }

    List<GroupView> all() {
        List<ListedGroup> listed = answer(node.groups().list(List.of(), List.of()), List.of());
        List<String> ids = listed.stream().map(ListedGroup::groupId).toList();
        Map<String, DescribedGroup> described = new HashMap<>();
        answer(node.groups().describe(CONSOLE, ids), List.<DescribedGroup>of())
                .forEach(group -> described.put(group.groupId(), group));
        return listed.stream()
                .map(group -> view(group, described.get(group.groupId()), offsets(group.groupId())))
                .sorted(Comparator.comparing(GroupView::id))
                .toList();
    }

    Optional<GroupDetail> detail(String id) {
        Optional<ListedGroup> listed = answer(node.groups().list(List.of(), List.of()), List.<ListedGroup>of()).stream()
                .filter(group -> group.groupId().equals(id))
                .findFirst();
        return listed.map(group -> {
            List<DescribedGroup> described = answer(node.groups().describe(CONSOLE, List.of(id)), List.of());
            List<OffsetView> offsets = offsets(id);
            List<MemberView> members = described.stream()
                    .flatMap(one -> one.members().stream())
                    .map(GroupViews::member)
                    .toList();
            return new GroupDetail(
                    view(group, described.isEmpty() ? null : described.get(0), offsets), members, offsets);
        });
    }

    private static GroupView view(ListedGroup listed, @Nullable DescribedGroup described, List<OffsetView> offsets) {
        long lag = offsets.isEmpty()
                ? -1
                : offsets.stream()
                        .mapToLong(offset -> Math.max(0, offset.lag()))
                        .sum();
        return new GroupView(
                listed.groupId(),
                listed.groupType(),
                listed.groupState(),
                described == null ? "" : described.protocolData(),
                described == null ? 0 : described.members().size(),
                (int) offsets.stream().map(OffsetView::topic).distinct().count(),
                lag);
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
