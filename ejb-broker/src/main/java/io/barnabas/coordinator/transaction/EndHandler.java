package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.Outcome;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A transaction ends: the producer says so (EndTxn), or the coordinator aborts it. The decision goes into the log, then the answer goes
 * out and {@link MarkerRounds} write the markers. Confined to the shard's serial executor.
 *
 * <p>With transaction version 2 every end brings a new epoch, so a request that comes again is known by the epoch before it; with
 * earlier versions only the state tells.
 */
class EndHandler {
    private static final short TV0 = 0;

    private final TransactionContext context;
    private final MarkerRounds rounds;

    EndHandler(TransactionContext context, MarkerRounds rounds) {
        this.context = context;
        this.rounds = rounds;
    }

    /** @param version transaction version of the client: 2 from EndTxn 5 on */
    record Request(String transactionalId, ProducerIdentity producer, boolean commit, short version) {
        boolean bumps() {
            return version >= TransactionMetadata.EPOCH_BUMP_VERSION;
        }
    }

    /**
     * Decides; the answer is the producer's id and epoch from now on, or {@link ProducerIdentity#NONE} before version 2.
     *
     * @throws ApiException INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE
     */
    void handle(Request request, CompletableFuture<ProducerIdentity> reply, Outcome outcome) {
        Transactions.@Nullable Entry entry = context.transactions().find(request.transactionalId);
        if (entry == null) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        TransactionMetadata present = entry.metadata();
        boolean again = request.bumps() ? validateBumping(present, request) : validate(present, request);
        if (again) {
            outcome.answer(reply, request.bumps() ? present.producer() : ProducerIdentity.NONE);
            return;
        }
        short epoch = request.bumps() ? bumped(present.producerEpoch()) : present.producerEpoch();
        ProducerIdentity after = prepare(entry, request, epoch, outcome);
        outcome.answer(reply, request.bumps() ? after : ProducerIdentity.NONE);
        rounds.startWhenCommitted(request.transactionalId, outcome);
    }

    /** Before version 2. Returns whether the transaction has ended this way already. */
    private static boolean validate(TransactionMetadata present, Request request) {
        if (present.producer().id() != request.producer.id()) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        if (present.producer().epoch() != request.producer.epoch()) {
            throw Errors.PRODUCER_FENCED.exception();
        }
        return switch (present.state()) {
            case ONGOING -> false;
            case COMPLETE_COMMIT -> same(request.commit);
            case COMPLETE_ABORT -> same(!request.commit);
            case PREPARE_COMMIT -> throw ending(request.commit);
            case PREPARE_ABORT -> throw ending(!request.commit);
            case EMPTY, DEAD, PREPARE_EPOCH_FENCE -> throw Errors.INVALID_TXN_STATE.exception();
        };
    }

    /** Version 2 (KIP-890). Returns whether the transaction has ended this way already, and this is the request for it again. */
    private static boolean validateBumping(TransactionMetadata present, Request request) {
        short epoch = request.producer.epoch();
        ProducerIdentity producer = present.producer();
        boolean afterOverflow = present.previousProducerId() == request.producer.id()
                && epoch == Short.MAX_VALUE - 1
                && producer.epoch() == 0;
        boolean afterBump = producer.epoch() == epoch + 1;
        if (producer.id() != request.producer.id() && !afterOverflow) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        boolean again = afterBump || afterOverflow;
        boolean current = producer.epoch() == epoch;
        boolean known =
                switch (present.state()) {
                    case PREPARE_COMMIT, PREPARE_ABORT -> again;
                    case COMPLETE_COMMIT, COMPLETE_ABORT -> again || current;
                    default -> current;
                };
        if (!known) {
            throw Errors.PRODUCER_FENCED.exception();
        }
        return switch (present.state()) {
            case ONGOING -> false;
            case COMPLETE_COMMIT -> again ? same(request.commit) : abortOfNothing(request);
            case COMPLETE_ABORT -> again ? same(!request.commit) : abortOfNothing(request);
            case PREPARE_COMMIT -> throw ending(request.commit);
            case PREPARE_ABORT -> throw ending(!request.commit);
            case EMPTY -> abortOfNothing(request);
            case DEAD, PREPARE_EPOCH_FENCE -> throw Errors.INVALID_TXN_STATE.exception();
        };
    }

    private static boolean same(boolean asBefore) {
        if (!asBefore) {
            throw Errors.INVALID_TXN_STATE.exception();
        }
        return true;
    }

    private static ApiException ending(boolean asBefore) {
        return (asBefore ? Errors.CONCURRENT_TRANSACTIONS : Errors.INVALID_TXN_STATE).exception();
    }

    /** A producer may abort without knowing whether its transaction began; it cannot commit nothing. */
    private static boolean abortOfNothing(Request request) {
        if (request.commit) {
            throw Errors.INVALID_TXN_STATE.exception();
        }
        return false;
    }

    private static short bumped(short epoch) {
        return epoch == Short.MAX_VALUE ? epoch : (short) (epoch + 1);
    }

    /** Appends the decision; returns the producer after the transaction. */
    private ProducerIdentity prepare(Transactions.Entry entry, Request request, short epoch, Outcome outcome) {
        TransactionMetadata present = entry.metadata();
        ProducerIdentity following = request.bumps() ? context.following(present.producer()) : present.producer();
        TransactionMetadata next = present.ending(request.commit, epoch, following, request.version, context.nowMs());
        outcome.append(context.record(entry.transactionalId, next));
        if (request.bumps()) {
            short before = present.producer().epoch();
            outcome.ifApplied(() -> context.transactions().rememberLastEpoch(entry.transactionalId, before));
        }
        return following;
    }

    /** Aborts an open transaction under an epoch that its producer does not know: whatever it sends from now on is refused. */
    void fence(Transactions.Entry entry, Outcome outcome) {
        TransactionMetadata present = entry.metadata();
        short level = context.level().get();
        boolean bumps = level >= TransactionMetadata.EPOCH_BUMP_VERSION || present.isKept();
        short version = bumps ? TransactionMetadata.EPOCH_BUMP_VERSION : TV0;
        Request abort = new Request(entry.transactionalId, present.producer(), false, version);
        prepare(entry, abort, fencing(present.producerEpoch()), outcome);
        if (!abort.bumps()) {
            outcome.ifApplied(() ->
                    context.transactions().rememberLastEpoch(entry.transactionalId, TransactionMetadata.NO_EPOCH));
        }
        rounds.startWhenCommitted(entry.transactionalId, outcome);
    }

    /** The epoch that the producer does not know: a broken coordinator of the simulation gives another. */
    short fencing(short epoch) {
        return bumped(epoch);
    }
}
