package io.barnabas.request;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.port.Responder;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/** EndTxn 0–5; from version 5 on the producer gets a new epoch with the answer (KIP-890). */
final class EndTxnHandler implements ApiHandler<EndTxnRequestData> {
    private static final int PRODUCER_FENCED_VERSION = 2;
    private static final int EPOCH_BUMP_VERSION = 5;

    private final TransactionCoordinator transactions;

    EndTxnHandler(TransactionCoordinator transactions) {
        this.transactions = transactions;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.END_TXN;
    }

    @Override
    public void handle(EndTxnRequestData request, RequestContext context, Responder responder) {
        short version = context.version();
        ProducerIdentity producer = new ProducerIdentity(request.producerId(), request.producerEpoch());
        short transactionVersion = (short) (version >= EPOCH_BUMP_VERSION ? 2 : 0);
        GroupResponses.respond(
                transactions
                        .end(request.transactionalId(), producer, request.committed(), transactionVersion)
                        .thenApply(done -> new EndTxnResponseData()
                                .setErrorCode(TransactionHandlers.code(done.error(), version, PRODUCER_FENCED_VERSION))
                                .setProducerId(done.producer().id())
                                .setProducerEpoch(done.producer().epoch())),
                context,
                responder);
    }
}
