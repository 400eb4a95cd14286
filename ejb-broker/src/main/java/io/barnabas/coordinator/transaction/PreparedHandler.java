package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.Outcome;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Transactions that a transaction manager outside prepares and, maybe after a restart of anybody, ends by their transactional id. To
 * prepare one is what an initialisation does that keeps it (KIP-939), so that nothing is in the log that Kafka does not write: see
 * {@link TransactionMetadata#isPrepared}. Confined to the shard's serial executor.
 */
final class PreparedHandler {
    private final TransactionContext context;
    private final InitHandler init;
    private final EndHandler end;

    PreparedHandler(TransactionContext context, InitHandler init, EndHandler end) {
        this.context = context;
        this.init = init;
        this.end = end;
    }

    /**
     * From the answer on the transaction waits for its end without limit; false if nothing was written in it, and nothing need be ended.
     * May be asked again.
     *
     * @param producer who wrote the transaction
     * @throws ApiException INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, UNSUPPORTED_VERSION,
     *     COORDINATOR_LOAD_IN_PROGRESS
     */
    void prepare(String transactionalId, ProducerIdentity producer, CompletableFuture<Boolean> reply, Outcome outcome) {
        Transactions.@Nullable Entry entry = context.transactions().find(transactionalId);
        if (entry == null || entry.metadata().producerId() != producer.id()) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        TransactionMetadata present = entry.metadata();
        if (!present.ofTransaction().equals(producer)) {
            throw Errors.PRODUCER_FENCED.exception();
        }
        if (present.state().isEnding()) {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
        if (present.isKept() && !present.isPrepared()) {
            throw Errors.PRODUCER_FENCED.exception(); // a client has taken it over
        }
        if (present.state() == TransactionState.ONGOING && !present.isPrepared()) {
            if (context.level().get() < TransactionMetadata.EPOCH_BUMP_VERSION) {
                throw Errors.UNSUPPORTED_VERSION.exception();
            }
            init.keep(entry, TransactionMetadata.NO_TIMEOUT, outcome);
        }
        outcome.answer(reply, present.state() == TransactionState.ONGOING);
    }

    /**
     * Ends a prepared transaction; the answer is who the producer is from then on. May be asked again until another transaction of the
     * id ends.
     *
     * @throws ApiException TRANSACTIONAL_ID_NOT_FOUND; INVALID_TXN_STATE: it is not prepared, or has ended the other way;
     *     COORDINATOR_LOAD_IN_PROGRESS
     */
    void resolve(String transactionalId, boolean commit, CompletableFuture<ProducerIdentity> reply, Outcome outcome) {
        Transactions.@Nullable Entry entry = context.transactions().find(transactionalId);
        if (entry == null) {
            throw Errors.TRANSACTIONAL_ID_NOT_FOUND.exception();
        }
        TransactionMetadata present = entry.metadata();
        if (present.isPrepared()) {
            end.handle(
                    new EndHandler.Request(
                            transactionalId, present.producer(), commit, TransactionMetadata.EPOCH_BUMP_VERSION),
                    reply,
                    outcome);
            return;
        }
        boolean asAsked =
                switch (present.state()) {
                    case PREPARE_COMMIT, COMPLETE_COMMIT -> commit;
                    case PREPARE_ABORT, COMPLETE_ABORT -> !commit;
                    default -> false;
                };
        if (!asAsked) {
            throw Errors.INVALID_TXN_STATE.exception();
        }
        outcome.answer(reply, present.producer());
    }
}
