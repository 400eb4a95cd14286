package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.transaction.TransactionCoordinator.Cluster;
import io.barnabas.coordinator.transaction.TransactionShard.Deciders;

/** Transaction coordinators that do one thing wrong, for simulations to find out. */
public enum BrokenTransactions {
    NONE(Deciders.PRODUCT),
    /** A new producer gets the epoch of the one before it. */
    INIT_KEEPS_EPOCH(new Deciders(EndHandler::new, (context, end) -> new InitHandler(context, end) {
        @Override
        short following(short epoch) {
            return epoch < 0 ? 0 : epoch;
        }
    })),
    /** A transaction that takes too long is aborted, and its producer may go on. */
    ABORT_KEEPS_EPOCH(new Deciders(
            (context, rounds) -> new EndHandler(context, rounds) {
                @Override
                short fencing(short epoch) {
                    return epoch;
                }
            },
            InitHandler::new));

    private final Deciders deciders;

    BrokenTransactions(Deciders deciders) {
        this.deciders = deciders;
    }

    /** Makes it. */
    public TransactionCoordinator coordinator(
            TransactionCoordinatorSettings settings, Environment environment, Cluster cluster) {
        return new TransactionCoordinator(settings, environment, cluster, deciders);
    }
}
