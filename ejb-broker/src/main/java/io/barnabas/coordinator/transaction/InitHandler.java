package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.Outcome;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * InitProducerId of a transactional id: a new epoch, which fences who had the id before; a new producer id when the epochs are used up
 * (KIP-360 for a producer that names its present one). A transaction that is open is aborted first, or kept to be ended by whoever knows
 * how (KIP-939). Confined to the shard's serial executor.
 */
class InitHandler {
    private final TransactionContext context;
    private final EndHandler end;

    InitHandler(TransactionContext context, EndHandler end) {
        this.context = context;
        this.end = end;
    }

    /**
     * Who the producer is from now on.
     *
     * @param ongoing the identity of the transaction that was kept, or {@link ProducerIdentity#NONE}
     */
    record Begun(ProducerIdentity producer, ProducerIdentity ongoing) {
        Begun(ProducerIdentity producer) {
            this(producer, ProducerIdentity.NONE);
        }
    }

    /**
     * Decides.
     *
     * @throws ApiException INVALID_TRANSACTION_TIMEOUT, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, COORDINATOR_LOAD_IN_PROGRESS,
     *     INVALID_TXN_STATE, INVALID_REQUEST, UNSUPPORTED_VERSION
     */
    void handle(Initialisation request, CompletableFuture<Begun> reply, Outcome outcome) {
        requireValid(request);
        Transactions.@Nullable Entry entry = context.transactions().find(request.transactionalId());
        TransactionMetadata present = entry == null
                ? TransactionMetadata.fresh(context.producerIds().getAsLong(), request.limitMs(), context.nowMs())
                : entry.metadata();
        requireNotFenced(present, request.expected());
        if (entry == null || present.state().isIdle()) {
            short lastEpoch = entry == null ? TransactionMetadata.NO_EPOCH : entry.lastEpoch();
            outcome.answer(reply, new Begun(initialise(request, present, lastEpoch, outcome)));
        } else if (present.state() == TransactionState.ONGOING) {
            onOpen(request, entry, reply, outcome);
        } else {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
    }

    private void requireValid(Initialisation request) {
        boolean keeps = request.open() == Initialisation.Open.KEEP;
        if (keeps && request.expected() != null) {
            throw Errors.INVALID_REQUEST.exception(); // it is for a producer that begins
        }
        if (keeps && context.level().get() < TransactionMetadata.EPOCH_BUMP_VERSION) {
            throw Errors.UNSUPPORTED_VERSION.exception();
        }
        int timeoutMs = request.timeoutMs();
        if (!request.twoPhase()
                && (timeoutMs <= 0 || timeoutMs > context.settings().maxTimeoutMs())) {
            throw Errors.INVALID_TRANSACTION_TIMEOUT.exception();
        }
    }

    private void onOpen(
            Initialisation request, Transactions.Entry entry, CompletableFuture<Begun> reply, Outcome outcome) {
        TransactionMetadata present = entry.metadata();
        switch (request.open()) {
            case KEEP -> {
                // a limit never comes back: the transaction may have been prepared under the promise of none
                int limitMs = present.hasTimeout() && !request.twoPhase()
                        ? present.timeoutMs()
                        : TransactionMetadata.NO_TIMEOUT;
                ProducerIdentity producer = keep(entry, limitMs, outcome);
                outcome.answer(reply, new Begun(producer, present.ofTransaction()));
            }
            case SPARE_PREPARED -> {
                if (present.isPrepared()) {
                    throw Errors.INVALID_TXN_STATE.exception();
                }
                abort(entry, reply, outcome);
            }
            case ABORT -> abort(entry, reply, outcome);
        }
    }

    private void abort(Transactions.Entry entry, CompletableFuture<Begun> reply, Outcome outcome) {
        end.fence(entry, outcome);
        outcome.fail(reply, Errors.CONCURRENT_TRANSACTIONS.exception()); // it asks again until that has ended
    }

    /**
     * The open transaction is kept, and its producer goes on under the next epoch, or another id if they are used up: from now on
     * nothing joins the transaction, and who has the answer ends it. Returns that producer.
     */
    ProducerIdentity keep(Transactions.Entry entry, int limitMs, Outcome outcome) {
        TransactionMetadata present = entry.metadata();
        ProducerIdentity producer = context.following(present.producer());
        outcome.append(context.record(entry.transactionalId, present.kept(producer, limitMs, context.nowMs())));
        outcome.ifApplied(
                () -> context.transactions().rememberLastEpoch(entry.transactionalId, TransactionMetadata.NO_EPOCH));
        return producer;
    }

    /** A producer that lost the answer to its bump over the end of the epochs names the id that it had before. */
    private static void requireNotFenced(TransactionMetadata present, @Nullable ProducerIdentity expected) {
        if (expected != null && present.isKept() && !expected.equals(present.producer())) {
            throw Errors.PRODUCER_FENCED.exception(); // nobody else aborts what was kept
        }
        boolean known = expected == null
                || present.producerEpoch() == TransactionMetadata.NO_EPOCH
                || expected.id() == present.producerId()
                || present.isKept()
                || (expected.id() == present.previousProducerId() && TransactionMetadata.isExhausted(expected.epoch()));
        if (!known) {
            throw Errors.PRODUCER_FENCED.exception();
        }
    }

    private ProducerIdentity initialise(
            Initialisation request, TransactionMetadata present, short lastEpoch, Outcome outcome) {
        Bump bump = bump(present, lastEpoch, request.expected());
        TransactionMetadata next = present.initialised(bump.producer, request.limitMs(), context.nowMs());
        outcome.append(context.record(request.transactionalId(), next));
        outcome.ifApplied(() -> context.transactions().rememberLastEpoch(request.transactionalId(), bump.lastEpoch));
        return bump.producer;
    }

    private Bump bump(TransactionMetadata present, short lastEpoch, @Nullable ProducerIdentity expected) {
        short epoch = present.producerEpoch();
        if (present.isExhausted() && (expected == null || expected.epoch() == epoch)) {
            ProducerIdentity fresh = new ProducerIdentity(context.producerIds().getAsLong(), (short) 0);
            return new Bump(fresh, expected == null ? TransactionMetadata.NO_EPOCH : epoch);
        }
        ProducerIdentity bumped = new ProducerIdentity(present.producerId(), following(epoch));
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

    /** The epoch that fences who has this one: a broken coordinator of the simulation gives another. */
    short following(short epoch) {
        return (short) (epoch + 1);
    }

    private record Bump(ProducerIdentity producer, short lastEpoch) {}
}
