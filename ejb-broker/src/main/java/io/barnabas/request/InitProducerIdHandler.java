package io.barnabas.request;

import io.barnabas.coordinator.transaction.Initialisation;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.port.Responder;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * InitProducerId 0–6: a new producer id for an idempotent producer; for a transactional one its id, with an epoch that fences others.
 *
 * <p>Version 6 is for two-phase commits (KIP-939). Kafka calls it unstable; it is advertised where {@code
 * transaction.two.phase.commit.enable} is set, and elsewhere its new fields are answered as Kafka answers them.
 */
final class InitProducerIdHandler implements ApiHandler<InitProducerIdRequestData> {
    private static final long NO_PRODUCER_ID = -1;
    private static final short NO_PRODUCER_EPOCH = -1;
    private static final int PRODUCER_FENCED_VERSION = 4;
    private static final short TWO_PHASE_VERSION = 6;

    private final TransactionCoordinator transactions;
    private final Supplier<CompletableFuture<Long>> producerIds;

    InitProducerIdHandler(TransactionCoordinator transactions, Supplier<CompletableFuture<Long>> producerIds) {
        this.transactions = transactions;
        this.producerIds = producerIds;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.INIT_PRODUCER_ID;
    }

    @Override
    public short highestVersion() {
        return TWO_PHASE_VERSION;
    }

    @Override
    public short highestAdvertisedVersion() {
        return transactions.settings().twoPhaseCommit() ? TWO_PHASE_VERSION : api().latestVersion(false);
    }

    @Override
    public void handle(InitProducerIdRequestData request, RequestContext context, Responder responder) {
        boolean begins = request.producerId() == NO_PRODUCER_ID;
        if (begins != (request.producerEpoch() == NO_PRODUCER_EPOCH)) {
            responder.respond(answer(Errors.INVALID_REQUEST.code(), ProducerIdentity.NONE));
        } else if (request.enable2Pc() && !transactions.settings().twoPhaseCommit()) {
            responder.respond(answer(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code(), ProducerIdentity.NONE));
        } else if (request.transactionalId() == null) {
            ControlPlane.answer(
                    producerIds.get(),
                    context,
                    responder,
                    id -> answer((short) 0, new ProducerIdentity(id, (short) 0)));
        } else {
            @Nullable
            ProducerIdentity expected =
                    begins ? null : new ProducerIdentity(request.producerId(), request.producerEpoch());
            Initialisation initialisation = new Initialisation(
                    request.transactionalId(),
                    request.transactionTimeoutMs(),
                    expected,
                    request.enable2Pc(),
                    request.keepPreparedTxn() ? Initialisation.Open.KEEP : Initialisation.Open.ABORT);
            GroupResponses.respond(
                    transactions.init(initialisation).thenApply(done -> answer(
                                    TransactionHandlers.code(done.error(), context.version(), PRODUCER_FENCED_VERSION),
                                    done.producer())
                            .setOngoingTxnProducerId(done.ongoing().id())
                            .setOngoingTxnProducerEpoch(done.ongoing().epoch())),
                    context,
                    responder);
        }
    }

    private static InitProducerIdResponseData answer(short error, ProducerIdentity producer) {
        return new InitProducerIdResponseData()
                .setErrorCode(error)
                .setProducerId(producer.id())
                .setProducerEpoch(producer.epoch());
    }
}
