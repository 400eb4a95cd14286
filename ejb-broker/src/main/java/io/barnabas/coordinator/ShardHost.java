package io.barnabas.coordinator;

import io.barnabas.time.SerialExecutor;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One partition's shard and its life: loaded when the partition is won, dropped when it is lost, loaded again when its state can no
 * longer be trusted to be that of the log (a failed commit, an append of unknown outcome, a failed replay).
 *
 * <p>Every field is confined to the serial executor; loading runs on a worker and hands its result over to it.
 */
final class ShardHost<S extends CoordinatorShard> {
    private static final Logger LOG = LoggerFactory.getLogger(ShardHost.class);

    private enum State {
        NEW,
        LOADING,
        ACTIVE,
        CLOSED
    }

    private final int partition;
    private final TopicPartition topicPartition;
    private final CoordinatorRuntime.Settings settings;
    private final CoordinatorRuntime.Environment environment;
    private final CoordinatorRuntime.ShardFactory<S> factory;
    private final RecordTypes types;
    private final SerialExecutor executor;
    private final BatchEncoder encoder = new BatchEncoder();

    private State state = State.NEW;
    private int epoch = -1;
    private int incarnation; // counts loads, so that what an earlier one left behind is told apart
    private @Nullable S shard; // not null while ACTIVE
    private long appendedTo; // offset after the last record that is replayed into the shard
    private long committedTo;
    private final Deque<Pending> pending = new ArrayDeque<>(); // by ascending offset
    private @Nullable ShardTimer commitTimer;

    ShardHost(
            int partition,
            CoordinatorRuntime.Settings settings,
            CoordinatorRuntime.Environment environment,
            RecordTypes types,
            CoordinatorRuntime.ShardFactory<S> factory) {
        this.partition = partition;
        this.topicPartition = new TopicPartition(settings.topic(), partition);
        this.settings = settings;
        this.environment = environment;
        this.types = types;
        this.factory = factory;
        this.executor = new SerialExecutor(environment.workers(), settings.maxInline(), this::onError);
    }

    void elected(int leaderEpoch) {
        executor.execute(() -> {
            if (state == State.CLOSED || leaderEpoch <= epoch) {
                return;
            }
            epoch = leaderEpoch;
            if (state == State.NEW) {
                startLoading();
            } // else nobody else wrote in between: the state goes on under the new epoch
        });
    }

    void resigned() {
        executor.execute(() -> {
            unload(Errors.NOT_COORDINATOR.exception());
            state = State.CLOSED;
        });
    }

    <R> void submit(CoordinatorRuntime.Operation<S, R> operation, CompletableFuture<R> reply) {
        executor.execute(() -> run(operation, reply));
    }

    private <R> void run(CoordinatorRuntime.Operation<S, R> operation, CompletableFuture<R> reply) {
        @Nullable S present = shard;
        if (state != State.ACTIVE || present == null) {
            reply.completeExceptionally(unavailable());
            return;
        }
        Outcome outcome = new Outcome(epoch);
        try {
            decide(operation, present, reply, outcome);
            if (!outcome.writes() || append(present, outcome, reply)) {
                release(outcome);
            }
        } catch (RuntimeException e) { // the shard may be half changed
            reply.completeExceptionally(Errors.UNKNOWN_SERVER_ERROR.exception());
            distrust("operation failed", e, outcome, reply);
        }
    }

    private <R> void decide(
            CoordinatorRuntime.Operation<S, R> operation, S present, CompletableFuture<R> reply, Outcome outcome) {
        try {
            operation.run(present, reply, outcome);
        } catch (ApiException e) {
            outcome.refused(reply, e);
        }
    }

    private ApiException unavailable() {
        return (state == State.LOADING ? Errors.COORDINATOR_LOAD_IN_PROGRESS : Errors.NOT_COORDINATOR).exception();
    }

    /** Appends and replays; false if the answers have been given already, because that failed. */
    private boolean append(S present, Outcome outcome, CompletableFuture<?> reply) {
        int done = 0;
        do {
            Written written;
            try {
                written = write(outcome, done);
            } catch (ApiException e) {
                LOG.warn("append refused; partition={} epoch={} error={}", topicPartition, epoch, e.toString());
                outcome.refused(reply, e);
                outcome.release();
                watchCommit();
                return false;
            } catch (RuntimeException e) {
                return distrust("append of unknown outcome", e, outcome, reply);
            }
            try {
                replay(present, outcome, done, written);
            } catch (RuntimeException e) {
                return distrust("replay failed", e, outcome, reply);
            }
            appendedTo = written.end;
            done += written.count;
        } while (done < outcome.records().size());
        outcome.applied();
        watchCommit();
        return true;
    }

    /** Appends the marker, or as many of the records from {@code from} on as one batch takes. */
    private Written write(Outcome outcome, int from) {
        PartitionWriter writer = environment.writer();
        long nowMs = environment.clock().wallMillis();
        @Nullable TransactionMarker marker = outcome.marker();
        if (marker != null) {
            return new Written(
                    0,
                    writer.appendMarker(topicPartition, epoch, marker.toRecords(nowMs), marker.transactionVersion()));
        }
        List<CoordinatorRecord> all = outcome.records();
        var encoded =
                encoder.encode(all.subList(from, all.size()), nowMs, writer.maxBatchBytes(topicPartition), outcome);
        @Nullable TransactionalBatch transaction = outcome.transaction();
        long end = transaction == null
                ? writer.append(topicPartition, epoch, encoded.batch())
                : writer.appendGuarded(topicPartition, epoch, encoded.batch(), transaction.guard());
        return new Written(encoded.count(), end);
    }

    private void replay(S present, Outcome outcome, int from, Written written) {
        @Nullable TransactionMarker marker = outcome.marker();
        if (marker != null) {
            present.replayMarker(marker.producerId(), marker.commit());
            return;
        }
        @Nullable TransactionalBatch transaction = outcome.transaction();
        long producerId = transaction == null ? RecordBatch.NO_PRODUCER_ID : transaction.producerId();
        long offset = written.end - written.count;
        for (CoordinatorRecord record : outcome.records().subList(from, from + written.count)) {
            present.replay(offset++, producerId, record);
        }
    }

    private boolean distrust(String what, RuntimeException cause, Outcome outcome, CompletableFuture<?> reply) {
        LOG.error("the shard is loaded again: {}; partition={}", what, topicPartition, cause);
        try {
            outcome.refused(reply, Errors.NOT_COORDINATOR.exception());
        } catch (RuntimeException e) { // what it would undo goes with the shard
            LOG.error("the operation could not be undone; partition={}", topicPartition, e);
        }
        outcome.failAll(Errors.NOT_COORDINATOR.exception());
        reply.completeExceptionally(Errors.NOT_COORDINATOR.exception());
        reload();
        return false;
    }

    private void release(Outcome outcome) {
        if (!outcome.hasAnswers()) {
            return;
        }
        if (appendedTo <= committedTo) {
            outcome.release();
            return;
        }
        pending.add(
                new Pending(appendedTo, environment.clock().monotonicMillis() + settings.commitTimeoutMs(), outcome));
        if (commitTimer != null && !commitTimer.isRunning()) {
            commitTimer.start(settings.commitTimeoutMs(), this::onCommitTimeout);
        }
    }

    private void watchCommit() {
        long offset = appendedTo;
        if (offset <= committedTo) {
            return;
        }
        CompletableFuture<Void> commit = committed(offset);
        if (commit.isDone() && !commit.isCompletedExceptionally()) {
            onCommitted(offset);
            return;
        }
        int loaded = incarnation;
        var unused = commit.whenComplete((nothing, failure) -> executor.execute(() -> {
            if (loaded != incarnation) {
                return;
            }
            if (failure == null) {
                onCommitted(offset);
            } else {
                LOG.warn(
                        "commit failed, the shard is loaded again; partition={} offset={}",
                        topicPartition,
                        offset,
                        failure);
                reload();
            }
        }));
    }

    /** The log may have gone away since the append: that is a commit that failed. */
    private CompletableFuture<Void> committed(long offset) {
        try {
            return environment.writer().committed(topicPartition, offset, epoch).toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void onCommitted(long offset) {
        committedTo = Math.max(committedTo, offset);
        while (!pending.isEmpty() && pending.getFirst().offset <= committedTo) {
            pending.removeFirst().outcome.release();
        }
    }

    private void onCommitTimeout(Outcome ignored) {
        long now = environment.clock().monotonicMillis();
        while (!pending.isEmpty() && pending.getFirst().deadlineMs <= now) {
            pending.removeFirst().outcome.failAll(new TimeoutException("not committed in time"));
        }
        if (!pending.isEmpty() && commitTimer != null) {
            commitTimer.start(pending.getFirst().deadlineMs - now, this::onCommitTimeout);
        }
    }

    private void reload() {
        unload(Errors.NOT_COORDINATOR.exception());
        state = State.LOADING;
        int failed = incarnation;
        environment
                .ticker()
                .after(
                        settings.reloadDelayMs(),
                        () -> executor.handOver(() -> {
                            if (state == State.LOADING && failed == incarnation) {
                                startLoading();
                            }
                        }));
    }

    private void startLoading() {
        state = State.LOADING;
        int loading = ++incarnation;
        ShardTimer.Source timers = new ShardTimer.Source(
                environment.clock(), environment.ticker(), executor, task -> runTimer(loading, task));
        S fresh = factory.create(partition, timers);
        commitTimer = timers.create();
        Executor workers = environment.workers();
        workers.execute(() -> load(loading, fresh));
    }

    private void load(int loading, S fresh) {
        ShardLoader loader = new ShardLoader(types, fresh);
        try {
            environment.writer().replay(topicPartition, loader);
        } catch (RuntimeException e) {
            executor.execute(() -> {
                if (state == State.LOADING && loading == incarnation) {
                    LOG.error("the shard could not be loaded; partition={}", topicPartition, e);
                    reload();
                }
            });
            return;
        }
        executor.execute(() -> onLoaded(loading, fresh, loader));
    }

    private void onLoaded(int loading, S fresh, ShardLoader loader) {
        if (state != State.LOADING || loading != incarnation) {
            return;
        }
        shard = fresh;
        state = State.ACTIVE;
        appendedTo = loader.nextOffset();
        committedTo = 0;
        watchCommit();
        LOG.debug("shard loaded; partition={} epoch={} records={}", topicPartition, epoch, loader.records());
        run((present, reply, outcome) -> present.onLoaded(outcome), new CompletableFuture<Void>());
    }

    private void unload(ApiException error) {
        @Nullable S present = shard;
        shard = null;
        incarnation++;
        if (commitTimer != null) {
            commitTimer.cancel();
        }
        if (present != null) {
            Outcome outcome = new Outcome();
            try {
                present.onUnloaded(outcome);
            } catch (RuntimeException e) { // it was half changed
                LOG.error("the shard could not be told of its end; partition={}", topicPartition, e);
            }
            outcome.release();
        }
        while (!pending.isEmpty()) {
            pending.removeFirst().outcome.failAll(error);
        }
    }

    private void runTimer(int loaded, Consumer<Outcome> task) {
        if (loaded != incarnation) {
            return;
        }
        run((present, reply, outcome) -> task.accept(outcome), new CompletableFuture<Void>());
    }

    private void onError(Throwable failure) {
        LOG.error("unexpected failure in a shard's executor; partition={}", topicPartition, failure);
    }

    /** One append: so many records, and the offset after it. */
    private record Written(int count, long end) {}

    private record Pending(long offset, long deadlineMs, Outcome outcome) {}
}
