package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.Outcome;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * InitProducerId of a transactional id: a new epoch, which fences who had the id before; a new producer id when the epochs are used up
 * (KIP-360 for a producer that names its present one). Confined to the shard's serial executor.
 */
final class InitHandler {
    private final TransactionContext context;
    private final EndHandler end;

    InitHandler(TransactionContext context, EndHandler end) {
        this.context = context;
        this.end = end;
    }

    /**
     * What is asked for.
     *
     * @param timeoutMs longest duration of a transaction
     * @param expected what the producer says it is, or null for one that begins
     */
    record Request(
            String transactionalId, int timeoutMs, @Nullable ProducerIdentity expected) {}

    /**
     * Decides.
     *
     * @throws ApiException INVALID_TRANSACTION_TIMEOUT, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, COORDINATOR_LOAD_IN_PROGRESS
     */
    void handle(Request request, CompletableFuture<ProducerIdentity> reply, Outcome outcome) {
        if (request.timeoutMs <= 0 || request.timeoutMs > context.settings().maxTimeoutMs()) {
            throw Errors.INVALID_TRANSACTION_TIMEOUT.exception();
        }
        Transactions.@Nullable Entry entry = context.transactions().find(request.transactionalId);
        TransactionMetadata present = entry == null
                ? TransactionMetadata.fresh(context.producerIds().getAsLong(), request.timeoutMs, context.nowMs())
                : entry.metadata();
        requireNotFenced(present, request.expected);
        if (entry == null || present.state().isIdle()) {
            short lastEpoch = entry == null ? TransactionMetadata.NO_EPOCH : entry.lastEpoch();
            outcome.answer(reply, initialise(request, present, lastEpoch, outcome));
        } else if (present.state() == TransactionState.ONGOING) {
            end.fence(entry, outcome);
            outcome.fail(reply, Errors.CONCURRENT_TRANSACTIONS.exception()); // it asks again until that has ended
        } else {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
    }

    /** A producer that lost the answer to its bump over the end of the epochs names the id that it had before. */
    private static void requireNotFenced(TransactionMetadata present, @Nullable ProducerIdentity expected) {
        boolean known = expected == null
                || present.producerEpoch() == TransactionMetadata.NO_EPOCH
                || expected.id() == present.producerId()
                || (expected.id() == present.previousProducerId() && TransactionMetadata.isExhausted(expected.epoch()));
        if (!known) {
            throw Errors.PRODUCER_FENCED.exception();
        }
    }

    private ProducerIdentity initialise(
            Request request, TransactionMetadata present, short lastEpoch, Outcome outcome) {
        Bump bump = bump(present, lastEpoch, request.expected);
        TransactionMetadata next = present.initialised(bump.producer, request.timeoutMs, context.nowMs());
        outcome.append(context.record(request.transactionalId, next));
        outcome.ifApplied(() -> context.transactions().rememberLastEpoch(request.transactionalId, bump.lastEpoch));
        return bump.producer;
    }

    private Bump bump(TransactionMetadata present, short lastEpoch, @Nullable ProducerIdentity expected) {
        short epoch = present.producerEpoch();
        if (present.isExhausted() && (expected == null || expected.epoch() == epoch)) {
            ProducerIdentity fresh = new ProducerIdentity(context.producerIds().getAsLong(), (short) 0);
            return new Bump(fresh, expected == null ? TransactionMetadata.NO_EPOCH : epoch);
        }
        ProducerIdentity bumped = new ProducerIdentity(present.producerId(), (short) (epoch + 1));
        if (expected == null) {
            return new Bump(bumped, TransactionMetadata.NO_EPOCH);
        }
        if (epoch == TransactionMetadata.NO_EPOCH || expected.epoch() == epoch) {
            return new Bump(bumped, epoch);
        }
        if (expected.epoch() == lastEpoch) { // asked again, as the answer was lost
            return new Bump(new ProducerIdentity(present.producerId(), epoch), lastEpoch);
        }
        throw Errors.PRODUCER_FENCED.exception();
    }

    private record Bump(ProducerIdentity producer, short lastEpoch) {}
}
