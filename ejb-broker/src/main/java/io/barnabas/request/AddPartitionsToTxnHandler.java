package io.barnabas.request;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionPartitions;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AddPartitionsToTxnResponse;

/**
 * AddPartitionsToTxn 0–5: partitions join a producer's transaction; from version 4 on those of many transactions at once, or only the
 * question whether they have joined, as brokers ask it (KIP-890).
 */
final class AddPartitionsToTxnHandler implements ApiHandler<AddPartitionsToTxnRequestData> {
    private static final int PRODUCER_FENCED_VERSION = 2;
    private static final int BATCH_VERSION = 4;

    private final TransactionCoordinator transactions;
    private final Metadata metadata;

    AddPartitionsToTxnHandler(TransactionCoordinator transactions, Metadata metadata) {
        this.transactions = transactions;
        this.metadata = metadata;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ADD_PARTITIONS_TO_TXN;
    }

    @Override
    public void handle(AddPartitionsToTxnRequestData request, RequestContext context, Responder responder) {
        short version = context.version();
        if (version < BATCH_VERSION) {
            TransactionPartitions partitions = new TransactionPartitions(
                    request.v3AndBelowTransactionalId(),
                    new ProducerIdentity(request.v3AndBelowProducerId(), request.v3AndBelowProducerEpoch()),
                    partitions(request.v3AndBelowTopics()));
            GroupResponses.respond(
                    add(partitions, version).thenApply(result -> new AddPartitionsToTxnResponseData()
                            .setResultsByTopicV3AndBelow(result.topicResults())),
                    context,
                    responder);
            return;
        }
        List<CompletableFuture<AddPartitionsToTxnResult>> results = new ArrayList<>();
        request.transactions().forEach(transaction -> results.add(answer(transaction, version)));
        GroupResponses.respond(
                CompletableFuture.allOf(results.toArray(new CompletableFuture<?>[0]))
                        .thenApply(all -> {
                            AddPartitionsToTxnResponseData response = new AddPartitionsToTxnResponseData();
                            results.forEach(
                                    result -> response.resultsByTransaction().add(result.join()));
                            return response;
                        }),
                context,
                responder);
    }

    private static Set<TopicPartition> partitions(AddPartitionsToTxnTopicCollection topics) {
        Set<TopicPartition> partitions = new LinkedHashSet<>();
        topics.forEach(
                topic -> topic.partitions().forEach(index -> partitions.add(new TopicPartition(topic.name(), index))));
        return partitions;
    }

    private CompletableFuture<AddPartitionsToTxnResult> answer(
            AddPartitionsToTxnTransaction transaction, short version) {
        TransactionPartitions partitions = new TransactionPartitions(
                transaction.transactionalId(),
                new ProducerIdentity(transaction.producerId(), transaction.producerEpoch()),
                partitions(transaction.topics()));
        if (!transaction.verifyOnly()) {
            return add(partitions, version);
        }
        return checked(partitions, known -> transactions
                .verify(known)
                .thenApply(errors -> AddPartitionsToTxnResponse.resultForTransaction(known.transactionalId(), errors)));
    }

    private CompletableFuture<AddPartitionsToTxnResult> add(TransactionPartitions partitions, short version) {
        short transactionVersion = (short) (version >= BATCH_VERSION ? 2 : 0);
        return checked(partitions, known -> transactions
                .add(known, transactionVersion)
                .thenApply(error -> result(
                        known,
                        partition ->
                                Errors.forCode(TransactionHandlers.code(error, version, PRODUCER_FENCED_VERSION)))));
    }

    /** One partition that is not there fails the others: nothing is asked. */
    private CompletableFuture<AddPartitionsToTxnResult> checked(
            TransactionPartitions partitions,
            Function<TransactionPartitions, CompletableFuture<AddPartitionsToTxnResult>> ask) {
        MetadataImage image = metadata.image();
        boolean allThere =
                partitions.partitions().stream().allMatch(of -> image.partition(of.topic(), of.partition()) != null);
        if (allThere) {
            return ask.apply(partitions);
        }
        return CompletableFuture.completedFuture(result(
                partitions,
                of -> image.partition(of.topic(), of.partition()) == null
                        ? Errors.UNKNOWN_TOPIC_OR_PARTITION
                        : Errors.OPERATION_NOT_ATTEMPTED));
    }

    private static AddPartitionsToTxnResult result(
            TransactionPartitions partitions, Function<TopicPartition, Errors> error) {
        Map<TopicPartition, Errors> errors =
                partitions.partitions().stream().collect(Collectors.toMap(of -> of, error));
        return AddPartitionsToTxnResponse.resultForTransaction(partitions.transactionalId(), errors);
    }
}
