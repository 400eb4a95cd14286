package io.barnabas.coordinator;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Runs a coordinator: one shard for each partition of its topic that this broker leads. An operation is handled, its records are
 * appended and replayed, and its answers released when they are committed; README.md beside this class argues why that is right.
 * Requests come from the request handlers, elections from the partition registry, appends go to the {@link PartitionWriter}.
 *
 * <p>Safe from any thread. Operations of one partition run one at a time, on the thread that brought them if the partition is free.
 *
 * @param <S> the shard's state
 */
public final class CoordinatorRuntime<S extends CoordinatorShard> implements AutoCloseable {
    private final Settings settings;
    private final Environment environment;
    private final RecordTypes types;
    private final ShardFactory<S> factory;
    private final ConcurrentHashMap<Integer, ShardHost<S>> hosts = new ConcurrentHashMap<>();
    private volatile boolean closed;

    public CoordinatorRuntime(Settings settings, Environment environment, RecordTypes types, ShardFactory<S> factory) {
        this.settings = settings;
        this.environment = environment;
        this.types = types;
        this.factory = factory;
    }

    /**
     * Runs an operation on a partition's shard.
     *
     * @return the answer; or NOT_COORDINATOR if the partition is not led here, COORDINATOR_LOAD_IN_PROGRESS while it loads,
     *     REQUEST_TIMED_OUT if the records were not committed in time, what the operation threw, or the error of its append
     */
    public <R> CompletableFuture<R> submit(int partition, Operation<S, R> operation) {
        CompletableFuture<R> reply = new CompletableFuture<>();
        @Nullable ShardHost<S> host = hosts.get(partition);
        if (host == null) {
            reply.completeExceptionally(Errors.NOT_COORDINATOR.exception());
        } else {
            host.submit(operation, reply);
        }
        return reply;
    }

    /**
     * Runs an operation on every shard that this broker has now; each answer as in {@link #submit}. What lives in a partition that is not
     * led here is left out: see {@link #submitToAll}.
     */
    public <R> List<CompletableFuture<R>> submitAll(Operation<S, R> operation) {
        List<CompletableFuture<R>> replies = new ArrayList<>();
        for (ShardHost<S> host : hosts.values()) {
            CompletableFuture<R> reply = new CompletableFuture<>();
            replies.add(reply);
            host.submit(operation, reply);
        }
        return replies;
    }

    /**
     * Runs an operation on the shards of the partitions 0 to {@code partitions}-1; each answer as in {@link #submit}. So no partition is
     * passed over in silence: one that has no shard here answers NOT_COORDINATOR, and so does a runtime that is closed, however many
     * there are.
     */
    public <R> List<CompletableFuture<R>> submitToAll(int partitions, Operation<S, R> operation) {
        if (closed) {
            return List.of(CompletableFuture.failedFuture(Errors.NOT_COORDINATOR.exception()));
        }
        List<CompletableFuture<R>> replies = new ArrayList<>(partitions);
        for (int partition = 0; partition < partitions; partition++) {
            replies.add(submit(partition, operation));
        }
        return replies;
    }

    /** The partitions that are led here, loaded or not. */
    public Collection<Integer> partitions() {
        return List.copyOf(hosts.keySet());
    }

    /** This broker leads a partition: its shard is loaded. An epoch that is not newer than the present one is ignored. */
    public void onElected(int partition, int leaderEpoch) {
        if (!closed) {
            hosts.computeIfAbsent(partition, p -> new ShardHost<>(p, settings, environment, types, factory))
                    .elected(leaderEpoch);
        }
    }

    /** This broker no longer leads a partition: its shard is dropped, and waiting requests are answered NOT_COORDINATOR. */
    public void onResigned(int partition) {
        @Nullable ShardHost<S> host = hosts.remove(partition);
        if (host != null) {
            host.resigned();
        }
    }

    /** Drops every shard. Idempotent. */
    @Override
    public void close() {
        closed = true;
        partitions().forEach(this::onResigned);
    }

    /**
     * What a coordinator is set to.
     *
     * @param topic its topic
     * @param commitTimeoutMs how long an answer may wait for the commit of what it rests on
     * @param reloadDelayMs pause before a shard is loaded again after a failure
     * @param maxInline operations that one thread runs in a row for others before it hands them to the workers
     */
    public record Settings(String topic, long commitTimeoutMs, long reloadDelayMs, int maxInline) {}

    /**
     * What a coordinator runs in.
     *
     * @param workers load shards, which blocks, and run what busy partitions have queued
     */
    public record Environment(Clock clock, Ticker ticker, Executor workers, PartitionWriter writer) {}

    /** Makes the empty state of a shard. */
    public interface ShardFactory<S> {
        S create(int partition, ShardTimer.Source timers);
    }

    /**
     * One operation on a shard.
     *
     * @param <S> the shard's state
     * @param <R> the answer
     */
    public interface Operation<S, R> {
        /**
         * Reads the shard and decides. The answer to {@code reply} goes into {@code outcome}, now or in a later operation; it must not be
         * completed directly. Does not block.
         *
         * @throws org.apache.kafka.common.errors.ApiException the answer is this error; nothing was decided
         */
        void run(S shard, CompletableFuture<R> reply, Outcome outcome);
    }
}
