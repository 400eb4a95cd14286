package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens by time: transactions that take too long are aborted, transactional ids that nobody uses are dropped, and markers that
 * nobody writes are begun. Confined to the shard's serial executor.
 */
final class Sweep {
    private static final Logger LOG = LoggerFactory.getLogger(Sweep.class);

    private final TransactionContext context;
    private final EndHandler end;
    private final MarkerRounds rounds;
    private final ShardTimer.Source timers;
    private final ShardTimer abort;
    private final ShardTimer expiry;

    Sweep(TransactionContext context, EndHandler end, MarkerRounds rounds, ShardTimer.Source timers) {
        this.context = context;
        this.end = end;
        this.rounds = rounds;
        this.timers = timers;
        this.abort = timers.create();
        this.expiry = timers.create();
    }

    void start() {
        scheduleAbort();
        scheduleExpiry();
    }

    void stop() {
        abort.cancel();
        expiry.cancel();
    }

    private void scheduleAbort() {
        abort.start(context.settings().abortIntervalMs(), outcome -> {
            scheduleAbort(); // first: a failure must not be the last run
            abortTimedOut();
            resume(outcome);
        });
    }

    private void scheduleExpiry() {
        expiry.start(context.settings().expiryIntervalMs(), outcome -> {
            scheduleExpiry();
            expire(outcome);
        });
    }

    /** Each in an operation of its own: one that fails does not keep the others. */
    private void abortTimedOut() {
        List<Transactions.Entry> due = new ArrayList<>();
        for (Transactions.Entry entry : context.transactions().busy()) {
            if (isTimedOut(entry.metadata())) {
                due.add(entry);
            }
        }
        due.forEach(entry -> timers.run(outcome -> abort(entry.transactionalId, outcome)));
    }

    private boolean isTimedOut(TransactionMetadata metadata) {
        return metadata.state() == TransactionState.ONGOING
                && metadata.hasTimeout()
                && metadata.startTimestampMs() + metadata.timeoutMs() < context.nowMs();
    }

    private void abort(String transactionalId, Outcome outcome) {
        Transactions.@Nullable Entry entry = context.transactions().find(transactionalId);
        if (entry != null && isTimedOut(entry.metadata())) {
            end.fence(entry, outcome);
            outcome.ifApplied(context.figures()::onTimeout);
            LOG.info(
                    "a transaction took too long and is aborted; transactionalId={} producerId={} timeoutMs={}",
                    transactionalId,
                    entry.metadata().producerId(),
                    entry.metadata().timeoutMs());
        }
    }

    /** Begins the markers of transactions whose end has been decided and that nobody ends. */
    void resume(Outcome outcome) {
        for (Transactions.Entry entry : context.transactions().busy()) {
            if (entry.metadata().state().isEnding() && rounds.isMissing(entry.transactionalId)) {
                rounds.startWhenCommitted(entry.transactionalId, outcome);
            }
        }
    }

    private void expire(Outcome outcome) {
        if (!context.knowsTime()) {
            return;
        }
        outcome.divisible();
        long before = context.nowMs() - context.settings().idExpirationMs();
        for (Transactions.Entry entry : context.transactions().all()) {
            TransactionMetadata metadata = entry.metadata();
            if (metadata.state().isIdle() && metadata.lastUpdateTimestampMs() <= before) {
                outcome.append(TransactionRecords.tombstone(entry.transactionalId));
            }
        }
    }
}
