package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import io.barnabas.coordinator.TransactionMarker;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the markers of transactions whose end has been decided, and completes these when every partition has its marker. A round of
 * writes begins once the decision is committed, and again for what failed; after a restart, from the replayed state. Markers that are
 * written twice change nothing, so nothing is remembered of those that were.
 *
 * <p>Confined to the shard's serial executor, except the outcomes of writes, which come from any thread and re-enter it.
 */
final class MarkerRounds {
    private static final Logger LOG = LoggerFactory.getLogger(MarkerRounds.class);
    private static final long BACKOFF_MS = 20;
    private static final long BACKOFF_MS_MAX = 1_000;

    private final TransactionContext context;
    private final MarkerWriter writer;
    private final ShardTimer.Source timers;
    private final Map<String, Round> rounds = new HashMap<>();

    MarkerRounds(TransactionContext context, MarkerWriter writer, ShardTimer.Source timers) {
        this.context = context;
        this.writer = writer;
        this.timers = timers;
    }

    /** One transaction's markers. */
    private static final class Round {
        final String transactionalId;
        final TransactionMarker marker;
        final ShardTimer retry;
        Collection<TopicPartition> missing;
        final long startedNanos;
        long backoffMs = BACKOFF_MS;

        Round(
                String transactionalId,
                TransactionMarker marker,
                Collection<TopicPartition> missing,
                ShardTimer retry,
                long startedNanos) {
            this.transactionalId = transactionalId;
            this.marker = marker;
            this.missing = missing;
            this.retry = retry;
            this.startedNanos = startedNanos;
        }
    }

    /** Begins with a transaction's markers when everything that is in the log now is committed: its decision is, or is in the outcome. */
    void startWhenCommitted(String transactionalId, Outcome outcome) {
        CompletableFuture<Boolean> committed = new CompletableFuture<>();
        int coordinatorEpoch = outcome.leaderEpoch();
        outcome.answer(committed, true);
        // released on the serial executor; if the commit is late, the next sweep begins the round
        var unused = committed.thenAccept(yes -> start(transactionalId, coordinatorEpoch));
    }

    /** Whether nobody writes the markers of a transaction that is ending. */
    boolean isMissing(String transactionalId) {
        return !rounds.containsKey(transactionalId);
    }

    private void start(String transactionalId, int coordinatorEpoch) {
        Transactions.@Nullable Entry entry = context.transactions().find(transactionalId);
        if (entry == null || !entry.metadata().state().isEnding() || rounds.containsKey(transactionalId)) {
            return;
        }
        TransactionMetadata metadata = entry.metadata();
        TransactionMarker marker = new TransactionMarker(
                metadata.producerId(),
                metadata.producerEpoch(),
                coordinatorEpoch,
                metadata.state() == TransactionState.PREPARE_COMMIT,
                metadata.clientVersion());
        Round round = new Round(
                transactionalId,
                marker,
                metadata.partitions(),
                timers.create(),
                context.clock().nanoTime());
        rounds.put(transactionalId, round);
        context.figures().markersPending(round.missing.size());
        write(round);
    }

    private void write(Round round) {
        Map<TopicPartition, Errors> failed = new ConcurrentHashMap<>();
        Collection<TopicPartition> partitions = round.missing;
        AtomicInteger left = new AtomicInteger(partitions.size() + 1); // one for this loop
        for (TopicPartition partition : partitions) {
            var unused = writer.write(partition, round.marker).whenComplete((nothing, failure) -> {
                if (failure != null) {
                    failed.put(partition, Errors.forException(CoordinatorErrors.cause(failure)));
                }
                arrived(round, left, failed);
            });
        }
        arrived(round, left, failed);
    }

    private void arrived(Round round, AtomicInteger left, Map<TopicPartition, Errors> failed) {
        if (left.decrementAndGet() == 0) {
            timers.run(outcome -> onWritten(round, failed, outcome));
        }
    }

    private void onWritten(Round round, Map<TopicPartition, Errors> failed, Outcome outcome) {
        if (rounds.get(round.transactionalId) != round) {
            return;
        }
        List<TopicPartition> again = new ArrayList<>();
        context.figures().markersPending(failed.size() - round.missing.size());
        failed.forEach((partition, error) -> {
            if (isRetriable(error)) {
                again.add(partition);
            }
        });
        if (again.size() < failed.size()) {
            // The producer or this coordinator is fenced there: somebody else decides. The round stays, so that none is
            // begun anew.
            round.missing = List.copyOf(failed.keySet());
            LOG.error(
                    "markers are refused for good; transactionalId={} producerId={} epoch={} partitions={}",
                    round.transactionalId,
                    round.marker.producerId(),
                    round.marker.producerEpoch(),
                    failed);
        } else if (again.isEmpty()) {
            round.missing = List.of();
            complete(round, outcome);
        } else {
            LOG.info(
                    "markers are written again; transactionalId={} producerId={} partitions={}",
                    round.transactionalId,
                    round.marker.producerId(),
                    failed);
            context.figures().markersRepeated(again.size());
            round.missing = again;
            round.retry.start(round.backoffMs, nothing -> write(round));
            round.backoffMs = Math.min(BACKOFF_MS_MAX, round.backoffMs * 2);
        }
    }

    private static boolean isRetriable(Errors error) {
        return error == Errors.UNKNOWN_SERVER_ERROR || error.exception() instanceof RetriableException;
    }

    private void complete(Round round, Outcome outcome) {
        Transactions.@Nullable Entry entry = context.transactions().find(round.transactionalId);
        if (rounds.get(round.transactionalId) != round || entry == null || !isOf(entry.metadata(), round.marker)) {
            rounds.remove(round.transactionalId, round);
            return;
        }
        TransactionMetadata ended = entry.metadata().ended(context.nowMs());
        outcome.append(context.record(round.transactionalId, ended));
        outcome.ifApplied(() -> {
            rounds.remove(round.transactionalId);
            context.figures().ended(round.marker.commit(), context.clock().nanoTime() - round.startedNanos);
        });
        outcome.ifRefused(error -> round.retry.start(BACKOFF_MS_MAX, again -> complete(round, again)));
    }

    private static boolean isOf(TransactionMetadata metadata, TransactionMarker marker) {
        return metadata.state().isEnding()
                && metadata.producerId() == marker.producerId()
                && metadata.producerEpoch() == marker.producerEpoch();
    }

    /** The shard is no more. */
    void stop() {
        rounds.values().forEach(round -> {
            round.retry.cancel();
            context.figures().markersPending(-round.missing.size());
        });
        rounds.clear();
    }
}
