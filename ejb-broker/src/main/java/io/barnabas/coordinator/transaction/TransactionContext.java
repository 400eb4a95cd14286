package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.time.Clock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the parts of a shard share.
 *
 * @param producerIds gives an id that no producer had before, or throws COORDINATOR_LOAD_IN_PROGRESS
 * @param level of the feature transaction.version in the cluster, now
 */
record TransactionContext(
        TransactionCoordinatorSettings settings,
        Clock clock,
        LongSupplier producerIds,
        Supplier<Short> level,
        Transactions transactions,
        TransactionFigures figures) {
    long nowMs() {
        return clock.wallMillis();
    }

    /** Whether it is known what is too old to be kept. */
    boolean knowsTime() {
        return clock.settled();
    }

    /** Who follows a producer: its next epoch, or another id when the epochs are used up. */
    ProducerIdentity following(ProducerIdentity producer) {
        return TransactionMetadata.isExhausted(producer.epoch())
                ? new ProducerIdentity(producerIds.getAsLong(), (short) 0)
                : new ProducerIdentity(producer.id(), (short) (producer.epoch() + 1));
    }

    CoordinatorRecord record(String transactionalId, TransactionMetadata metadata) {
        return TransactionRecords.of(transactionalId, metadata, level.get());
    }
}
