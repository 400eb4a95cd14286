package io.barnabas.coordinator.transaction;

import org.jspecify.annotations.Nullable;

/**
 * A producer begins, or goes on after a failure: InitProducerId.
 *
 * @param timeoutMs longest duration of its transactions; without a meaning if {@code twoPhase}
 * @param expected what the producer says it is, or null for one that begins
 * @param twoPhase its transactions are parts of a two-phase commit (KIP-939): they have no time limit
 * @param open what becomes of a transaction that is open
 */
public record Initialisation(
        String transactionalId, int timeoutMs, @Nullable ProducerIdentity expected, boolean twoPhase, Open open) {
    /** What becomes of a transaction that is open. */
    public enum Open {
        /** It is aborted. */
        ABORT,
        /** It stays, for the producer to end it. */
        KEEP,
        /** It is aborted unless it has been prepared: then there is an error. */
        SPARE_PREPARED
    }

    /** A producer as before KIP-939. */
    public static Initialisation of(String transactionalId, int timeoutMs, @Nullable ProducerIdentity expected) {
        return new Initialisation(transactionalId, timeoutMs, expected, false, Open.ABORT);
    }

    int limitMs() {
        return twoPhase ? TransactionMetadata.NO_TIMEOUT : timeoutMs;
    }
}
