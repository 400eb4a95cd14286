package io.barnabas.request;

import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.port.Responder;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;

/** ListTransactions 0–2 (KIP-664), by duration (KIP-994) and by pattern (KIP-1152). */
final class ListTransactionsHandler implements ApiHandler<ListTransactionsRequestData> {
    private final TransactionCoordinator transactions;

    ListTransactionsHandler(TransactionCoordinator transactions) {
        this.transactions = transactions;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_TRANSACTIONS;
    }

    @Override
    public void handle(ListTransactionsRequestData request, RequestContext context, Responder responder) {
        GroupResponses.respond(transactions.list(request), context, responder);
    }
}
