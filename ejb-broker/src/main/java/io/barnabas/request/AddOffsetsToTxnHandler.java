package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionPartitions;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/** AddOffsetsToTxn 0–4: the group's partition of the offsets topic joins the transaction. Clients of transaction version 2 need none. */
final class AddOffsetsToTxnHandler implements ApiHandler<AddOffsetsToTxnRequestData> {
    private static final int PRODUCER_FENCED_VERSION = 2;

    private final TransactionCoordinator transactions;
    private final GroupCoordinator groups;

    AddOffsetsToTxnHandler(TransactionCoordinator transactions, GroupCoordinator groups) {
        this.transactions = transactions;
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ADD_OFFSETS_TO_TXN;
    }

    @Override
    public void handle(AddOffsetsToTxnRequestData request, RequestContext context, Responder responder) {
        TransactionPartitions partitions = new TransactionPartitions(
                request.transactionalId(),
                new ProducerIdentity(request.producerId(), request.producerEpoch()),
                List.of(groups.offsetsPartition(request.groupId())));
        GroupResponses.respond(
                transactions.add(partitions, (short) 0).thenApply(error -> new AddOffsetsToTxnResponseData()
                        .setErrorCode(TransactionHandlers.code(error, context.version(), PRODUCER_FENCED_VERSION))),
                context,
                responder);
    }
}
