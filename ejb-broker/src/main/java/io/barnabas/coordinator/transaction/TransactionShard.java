package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.coordinator.CoordinatorShard;
import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.ShardTimer;
import java.util.function.BiFunction;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;

/**
 * One partition of {@code __transaction_state}: its transactional ids, with the handlers that decide on them.
 *
 * <p>Confined to the serial executor of the partition; while loading, to one worker.
 */
final class TransactionShard implements CoordinatorShard {
    final InitHandler init;
    final JoinHandler join;
    final EndHandler end;
    final PreparedHandler prepared;
    final TransactionQueries queries;

    private final Transactions transactions;
    private final MarkerRounds rounds;
    private final Sweep sweep;

    TransactionShard(TransactionContext context, MarkerWriter markers, ShardTimer.Source timers, Deciders deciders) {
        this.transactions = context.transactions();
        this.rounds = new MarkerRounds(context, markers, timers);
        this.end = deciders.end.apply(context, rounds);
        this.init = deciders.init.apply(context, end);
        this.prepared = new PreparedHandler(context, init, end);
        this.join = new JoinHandler(context);
        this.queries = new TransactionQueries(context);
        this.sweep = new Sweep(context, end, rounds, timers);
    }

    /** Who decides on epochs: the simulation puts broken ones in their place, to see whether they are found out. */
    record Deciders(
            BiFunction<TransactionContext, MarkerRounds, EndHandler> end,
            BiFunction<TransactionContext, EndHandler, InitHandler> init) {
        static final Deciders PRODUCT = new Deciders(EndHandler::new, InitHandler::new);
    }

    @Override
    public void replay(long offset, long producerId, CoordinatorRecord record) {
        TransactionLogKey key = (TransactionLogKey) record.key();
        transactions.replay(key.transactionalId(), (TransactionLogValue) record.value());
    }

    @Override
    public void replayMarker(long producerId, boolean committed) {
        // nothing is written to this log in transactions
    }

    @Override
    public void onLoaded(Outcome outcome) {
        sweep.start();
        sweep.resume(outcome);
    }

    @Override
    public void onUnloaded(Outcome outcome) {
        sweep.stop();
        rounds.stop();
    }
}
