package io.barnabas.coordinator.group;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.CoordinatorRuntime.Operation;
import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.group.consumer.TopicHashes;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupResponseData.MemberResponse;
import org.apache.kafka.common.message.ListGroupsResponseData.ListedGroup;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetFetchResponse;
import org.apache.kafka.common.requests.TxnOffsetCommitRequest;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The group coordinator as the handlers of the group APIs see it: finds the shard, and turns what goes wrong into the API's own answer.
 * Answers always complete normally unless a method says otherwise.
 *
 * <p>Safe from any thread. An answer completes on the thread that asked if the shard is free and nothing need be waited for.
 */
public final class GroupCoordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCoordinator.class);
    private static final long RELOAD_DELAY_MS = 500;
    private static final int MAX_INLINE = 32;

    private final GroupCoordinatorSettings settings;
    private final Supplier<ConsumerGroupSettings> consumers;
    private final Cluster cluster;
    private final Executor workers;
    private final Set<Uuid> knownTopics = ConcurrentHashMap.newKeySet(); // written by the metadata thread alone
    private final Environment environment;
    private final CoordinatorRuntime<GroupShard> runtime;

    /**
     * Makes it; it serves what {@link #onElected} gives it.
     *
     * @param consumers asked at every request
     * @param memberIds makes a new member's id of its client's id or instance id: that, a hyphen and what is unique in the cluster
     */
    public GroupCoordinator(
            GroupCoordinatorSettings settings,
            Supplier<ConsumerGroupSettings> consumers,
            Environment environment,
            Cluster cluster,
            UnaryOperator<String> memberIds) {
        this.settings = settings;
        this.consumers = consumers;
        this.cluster = cluster;
        this.workers = environment.workers();
        this.environment = environment;
        this.runtime = new CoordinatorRuntime<>(
                new CoordinatorRuntime.Settings(
                        Topic.GROUP_METADATA_TOPIC_NAME,
                        settings.offsetsCommitTimeoutMs(),
                        RELOAD_DELAY_MS,
                        MAX_INLINE),
                environment,
                GroupRecords.TYPES,
                (partition, timers) ->
                        new GroupShard(settings, consumerContext(partition), environment.clock(), memberIds, timers));
    }

    /**
     * What of the cluster groups depend on.
     *
     * @param offsetsPartitions how many partitions the offsets topic has; asked at every request
     * @param image the metadata as they are now
     */
    public record Cluster(IntSupplier offsetsPartitions, Supplier<MetadataImage> image) {}

    private ConsumerContext consumerContext(int partition) {
        return new ConsumerContext(consumers, cluster.image, new Background(partition), new TopicHashes());
    }

    /** Work of one partition's shards on the workers. */
    private final class Background implements ConsumerContext.Background {
        private final int partition;

        Background(int partition) {
            this.partition = partition;
        }

        @Override
        public <R> void run(Supplier<R> work, ConsumerContext.Then<R> then) {
            workers.execute(() -> {
                R result = work.get();
                CompletableFuture<Void> unused =
                        runtime.submit(partition, (shard, reply, outcome) -> then.accept(shard, result, outcome));
            });
        }
    }

    /** What it was made with. */
    public GroupCoordinatorSettings settings() {
        return settings;
    }

    /** The partition of the offsets topic that a group lives in. */
    public int partitionFor(String groupId) {
        return Utils.abs(groupId.hashCode()) % cluster.offsetsPartitions.getAsInt();
    }

    /** This broker leads a partition of the offsets topic now. */
    public void onElected(int partition, int leaderEpoch) {
        runtime.onElected(partition, leaderEpoch);
    }

    /** This broker no longer leads a partition of the offsets topic. */
    public void onResigned(int partition) {
        runtime.onResigned(partition);
    }

    /** The metadata have changed, as {@link io.barnabas.metadata.Metadata} tells it: consumer groups look at their topics again. */
    public void onMetadata(Metadata.Change change, MetadataImage image) {
        if (change.topics().isEmpty() && change.deletedTopics().isEmpty()) {
            return;
        }
        Set<String> changed = new HashSet<>();
        boolean created = false;
        for (Uuid id : change.topics()) {
            @Nullable TopicImage topic = image.topic(id);
            if (topic != null) {
                changed.add(topic.name());
                created |= knownTopics.add(id);
            }
        }
        Map<String, Uuid> deleted = new HashMap<>();
        change.deletedTopics().forEach(topic -> {
            knownTopics.remove(topic.id());
            deleted.put(topic.name(), topic.id());
        });
        boolean anyCreated = created;
        List<CompletableFuture<Void>> unused = runtime.submitAll(
                (shard, reply, outcome) -> shard.onTopicsChanged(changed, deleted.keySet(), anyCreated, image.index()));
        if (!deleted.isEmpty()) {
            onTopicsDeleted(deleted);
        }
    }

    /** Topics are gone, ids by name: so are their offsets. */
    public void onTopicsDeleted(Map<String, Uuid> topics) {
        List<CompletableFuture<Void>> done = runtime.submitAll((shard, reply, outcome) -> {
            shard.removal.onTopicsDeleted(topics, outcome);
            outcome.answer(reply, done());
        });
        for (CompletableFuture<Void> shard : done) {
            var unused = shard.whenComplete((nothing, failure) -> {
                if (failure != null) {
                    LOG.warn("offsets of deleted topics remain until they expire; topics={}", topics.keySet(), failure);
                }
            });
        }
    }

    @SuppressWarnings("NullAway") // Void has no other value
    private static Void done() {
        return null;
    }

    @Override
    public void close() {
        runtime.close();
    }

    /** ConsumerGroupHeartbeat 0–1. */
    public CompletableFuture<ConsumerGroupHeartbeatResponseData> consumerHeartbeat(
            ClientInfo client, ConsumerGroupHeartbeatRequestData request) {
        try {
            ConsumerHeartbeatHandler.validate(request, client.version(), consumers.get());
        } catch (ApiException e) {
            return answered(heartbeatError(e));
        }
        return runtime.<ConsumerGroupHeartbeatResponseData>submit(
                        partitionFor(request.groupId()),
                        (shard, reply, outcome) ->
                                outcome.answer(reply, shard.consumerHeartbeat.handle(client, request, outcome)))
                .exceptionally(GroupCoordinator::heartbeatError);
    }

    private static ConsumerGroupHeartbeatResponseData heartbeatError(Throwable failure) {
        Throwable cause = CoordinatorErrors.cause(failure);
        Errors error = CoordinatorErrors.of(cause);
        boolean own = error == Errors.forException(cause);
        return new ConsumerGroupHeartbeatResponseData()
                .setErrorCode(error.code())
                .setErrorMessage(own ? cause.getMessage() : error.message());
    }

    /** ConsumerGroupDescribe 0–1. */
    public CompletableFuture<List<ConsumerGroupDescribeResponseData.DescribedGroup>> describeConsumers(
            List<String> groupIds) {
        return gather(byPartition(groupIds).values().stream()
                .map(ids -> this.<List<ConsumerGroupDescribeResponseData.DescribedGroup>>submit(
                        ids.get(0),
                        (shard, reply, outcome) -> outcome.answer(reply, shard.queries.describeConsumers(ids)),
                        error -> ids.stream()
                                .map(id -> new ConsumerGroupDescribeResponseData.DescribedGroup()
                                        .setGroupId(id)
                                        .setErrorCode(error.code())
                                        .setErrorMessage(error.message()))
                                .toList()))
                .toList());
    }

    /** JoinGroup 0–9; answered when the member's generation is made, which may take the rebalance time-out. */
    public CompletableFuture<JoinGroupResponseData> join(ClientInfo client, JoinGroupRequestData request) {
        if (request.groupId().isEmpty()) {
            return answered(JoinHandler.error(request.memberId(), Errors.INVALID_GROUP_ID));
        }
        if (request.sessionTimeoutMs() < settings.minSessionTimeoutMs()
                || request.sessionTimeoutMs() > settings.maxSessionTimeoutMs()) {
            return answered(JoinHandler.error(request.memberId(), Errors.INVALID_SESSION_TIMEOUT));
        }
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> shard.join.handle(client, request, reply, outcome),
                error -> JoinHandler.error("", error));
    }

    /** SyncGroup 0–5; answered when the leader's assignment is in the log. */
    public CompletableFuture<SyncGroupResponseData> sync(SyncGroupRequestData request) {
        if (request.groupId().isEmpty()) {
            return answered(new SyncGroupResponseData().setErrorCode(Errors.INVALID_GROUP_ID.code()));
        }
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> shard.sync.handle(request, reply, outcome),
                error -> new SyncGroupResponseData().setErrorCode(error.code()));
    }

    /** Heartbeat 0–4. While the shard loads it is answered as good: the session begins anew when it has. */
    public CompletableFuture<HeartbeatResponseData> heartbeat(HeartbeatRequestData request) {
        if (request.groupId().isEmpty()) {
            return answered(new HeartbeatResponseData().setErrorCode(Errors.INVALID_GROUP_ID.code()));
        }
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> outcome.answer(reply, shard.heartbeat.handle(request)),
                error -> new HeartbeatResponseData()
                        .setErrorCode(error == Errors.COORDINATOR_LOAD_IN_PROGRESS ? 0 : error.code()));
    }

    /** LeaveGroup 3–5, to which lower versions have been brought. */
    public CompletableFuture<LeaveGroupResponseData> leave(LeaveGroupRequestData request) {
        if (request.groupId().isEmpty()) {
            return answered(new LeaveGroupResponseData().setErrorCode(Errors.INVALID_GROUP_ID.code()));
        }
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> outcome.answer(reply, shard.leave.handle(request, outcome)),
                error -> leaveError(request, error));
    }

    private static LeaveGroupResponseData leaveError(LeaveGroupRequestData request, Errors error) {
        if (error != Errors.UNKNOWN_MEMBER_ID) {
            return new LeaveGroupResponseData().setErrorCode(error.code());
        }
        LeaveGroupResponseData response = new LeaveGroupResponseData();
        request.members().forEach(member -> response.members()
                .add(new MemberResponse()
                        .setMemberId(member.memberId())
                        .setGroupInstanceId(member.groupInstanceId())
                        .setErrorCode(error.code())));
        return response;
    }

    /** OffsetCommit 2–10, names and ids of its topics checked and filled in. The empty group id is served, for old clients. */
    public CompletableFuture<OffsetCommitResponseData> commit(ClientInfo client, OffsetCommitRequestData request) {
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> outcome.answer(reply, shard.commit.handle(client, request, outcome)),
                error -> OffsetCommitRequest.getErrorResponse(request, error));
    }

    /**
     * TxnOffsetCommit 0–6, names and ids of its topics checked and filled in, the group's partition part of the transaction.
     *
     * @param guard of {@link #beginVerification}
     */
    public CompletableFuture<TxnOffsetCommitResponseData> commitInTransaction(
            ClientInfo client, TxnOffsetCommitRequestData request, long guard) {
        if (request.groupId().isEmpty()) {
            return answered(TxnOffsetCommitRequest.getErrorResponse(request, Errors.INVALID_GROUP_ID));
        }
        return submit(
                request.groupId(),
                (shard, reply, outcome) ->
                        outcome.answer(reply, shard.transactionalCommit.handle(client, request, guard, outcome)),
                error -> TxnOffsetCommitRequest.getErrorResponse(request, error));
    }

    /**
     * A producer is about to commit offsets of a group in a transaction.
     *
     * @return the guard to commit with; 0 if the group's partition is part of the transaction already
     * @throws org.apache.kafka.common.errors.ApiException it may not
     */
    public long beginVerification(String groupId, long producerId, short producerEpoch, boolean epochBump) {
        return environment.writer().beginVerification(offsetsPartition(groupId), producerId, producerEpoch, epochBump);
    }

    /** The partition of a group in the offsets topic. */
    public TopicPartition offsetsPartition(String groupId) {
        return new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, partitionFor(groupId));
    }

    /**
     * A transaction that offsets were committed in has ended: they take effect, or are dropped.
     *
     * @return completes when the marker is committed; fails with NOT_LEADER_OR_FOLLOWER while the shard is not to be had
     */
    public CompletableFuture<Void> end(int partition, TransactionMarker marker) {
        return runtime.<Void>submit(partition, (shard, reply, outcome) -> {
                    outcome.end(marker);
                    outcome.answer(reply, done());
                })
                .exceptionally(failure -> {
                    Errors error = CoordinatorErrors.of(failure);
                    throw switch (error) {
                        case COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR ->
                            Errors.NOT_LEADER_OR_FOLLOWER.exception();
                        default -> error.exception();
                    };
                });
    }

    /** OffsetFetch 1–10 of one group, names of its topics filled in. */
    public CompletableFuture<OffsetFetchResponseGroup> fetch(
            ClientInfo client, OffsetFetchRequestGroup request, boolean requireStable) {
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> outcome.answer(reply, shard.fetch.handle(request, requireStable)),
                error -> OffsetFetchResponse.groupError(request, fetchError(error), client.version()));
    }

    /** Consumers before 3.9 know no COORDINATOR_NOT_AVAILABLE here; this one makes them look again, too. */
    private static Errors fetchError(Errors error) {
        return error == Errors.COORDINATOR_NOT_AVAILABLE ? Errors.NOT_COORDINATOR : error;
    }

    /** OffsetDelete 0. */
    public CompletableFuture<OffsetDeleteResponseData> deleteOffsets(OffsetDeleteRequestData request) {
        if (request.groupId().isEmpty()) {
            return answered(new OffsetDeleteResponseData().setErrorCode(Errors.INVALID_GROUP_ID.code()));
        }
        return submit(
                request.groupId(),
                (shard, reply, outcome) -> outcome.answer(reply, shard.offsetDelete.handle(request, outcome)),
                error -> new OffsetDeleteResponseData().setErrorCode(error.code()));
    }

    /** DescribeGroups 0–6. */
    public CompletableFuture<List<DescribedGroup>> describe(ClientInfo client, List<String> groupIds) {
        return gather(byPartition(groupIds).values().stream()
                .map(ids -> this.<List<DescribedGroup>>submit(
                        ids.get(0),
                        (shard, reply, outcome) -> outcome.answer(reply, shard.queries.describe(ids, client.version())),
                        error -> ids.stream()
                                .map(id -> new DescribedGroup().setGroupId(id).setErrorCode(error.code()))
                                .toList()))
                .toList());
    }

    /** DeleteGroups 0–3. */
    public CompletableFuture<List<DeletableGroupResult>> delete(List<String> groupIds) {
        return gather(byPartition(groupIds).values().stream()
                .map(ids -> this.<List<DeletableGroupResult>>submit(
                        ids.get(0),
                        (shard, reply, outcome) -> outcome.answer(reply, shard.removal.delete(ids, outcome)),
                        error -> ids.stream()
                                .map(id -> new DeletableGroupResult()
                                        .setGroupId(id)
                                        .setErrorCode(error.code()))
                                .toList()))
                .toList());
    }

    /**
     * ListGroups 0–5: the groups of this broker's shards.
     *
     * @return fails with COORDINATOR_LOAD_IN_PROGRESS while a shard loads
     */
    public CompletableFuture<List<ListedGroup>> list(List<String> states, List<String> types) {
        List<CompletableFuture<List<ListedGroup>>> shards =
                runtime.submitAll((shard, reply, outcome) -> outcome.answer(reply, shard.queries.list(states, types)));
        return gather(shards.stream()
                .map(shard -> shard.exceptionally(failure -> {
                    Errors error = CoordinatorErrors.of(failure);
                    if (error == Errors.NOT_COORDINATOR) {
                        return List.of(); // its groups are another's to list
                    }
                    throw error.exception();
                }))
                .toList());
    }

    private Map<Integer, List<String>> byPartition(List<String> groupIds) {
        Map<Integer, List<String>> byPartition = new LinkedHashMap<>();
        groupIds.forEach(id -> byPartition
                .computeIfAbsent(partitionFor(id), p -> new ArrayList<>())
                .add(id));
        return byPartition;
    }

    private static <T> CompletableFuture<List<T>> gather(List<CompletableFuture<List<T>>> parts) {
        return CompletableFuture.allOf(parts.toArray(new CompletableFuture<?>[0]))
                .thenApply(all -> {
                    List<T> gathered = new ArrayList<>();
                    parts.forEach(part -> gathered.addAll(part.join()));
                    return gathered;
                });
    }

    private <R> CompletableFuture<R> submit(
            String groupId, Operation<GroupShard, R> operation, Function<Errors, R> onError) {
        return runtime.submit(partitionFor(groupId), operation)
                .exceptionally(failure -> onError.apply(CoordinatorErrors.of(failure)));
    }

    private static <R> CompletableFuture<R> answered(R response) {
        return CompletableFuture.completedFuture(response);
    }
}
