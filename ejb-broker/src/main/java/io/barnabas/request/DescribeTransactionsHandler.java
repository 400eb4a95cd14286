package io.barnabas.request;

import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.port.Responder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/** DescribeTransactions 0 (KIP-664). */
final class DescribeTransactionsHandler implements ApiHandler<DescribeTransactionsRequestData> {
    private final TransactionCoordinator transactions;

    DescribeTransactionsHandler(TransactionCoordinator transactions) {
        this.transactions = transactions;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_TRANSACTIONS;
    }

    @Override
    public void handle(DescribeTransactionsRequestData request, RequestContext context, Responder responder) {
        List<CompletableFuture<DescribeTransactionsResponseData.TransactionState>> states =
                request.transactionalIds().stream()
                        .distinct()
                        .map(transactions::describe)
                        .toList();
        GroupResponses.respond(
                CompletableFuture.allOf(states.toArray(new CompletableFuture<?>[0]))
                        .thenApply(all -> new DescribeTransactionsResponseData()
                                .setTransactionStates(states.stream()
                                        .map(CompletableFuture::join)
                                        .toList())),
                context,
                responder);
    }
}
