package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.Outcome;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Partitions join a transaction, asked for by the client (AddPartitionsToTxn, AddOffsetsToTxn) or, for a client of transaction version
 * 2, by the broker that it writes to; or a broker asks whether they have joined (KIP-890). Confined to the shard's serial executor.
 */
final class JoinHandler {
    private final TransactionContext context;

    JoinHandler(TransactionContext context) {
        this.context = context;
    }

    /** The partitions are part of the transaction from the answer on, which is NONE or the error for all of them. */
    void add(TransactionPartitions request, short version, CompletableFuture<Errors> reply, Outcome outcome) {
        TransactionMetadata present = validated(request);
        if (present.state() != TransactionState.ONGOING || !present.partitions().containsAll(request.partitions())) {
            TransactionMetadata next = present.joined(request.partitions(), version, context.nowMs());
            outcome.append(context.record(request.transactionalId(), next));
        }
        outcome.answer(reply, Errors.NONE);
    }

    /** For each partition NONE, or TRANSACTION_ABORTABLE if it has not joined. */
    Map<TopicPartition, Errors> verify(TransactionPartitions request) {
        Collection<TopicPartition> joined = validated(request).partitions();
        Map<TopicPartition, Errors> answers = new HashMap<>();
        request.partitions()
                .forEach(partition -> answers.put(
                        partition, joined.contains(partition) ? Errors.NONE : Errors.TRANSACTION_ABORTABLE));
        return answers;
    }

    /** Nothing joins a transaction that was kept (KIP-939): who wrote it is fenced, and who has it now may only end it. */
    private static Errors refusedAsKept(TransactionMetadata present, ProducerIdentity producer) {
        if (producer.equals(present.producer())) {
            return present.state().isEnding() ? Errors.CONCURRENT_TRANSACTIONS : Errors.INVALID_TXN_STATE;
        }
        return producer.id() == present.producerId() || producer.id() == present.nextProducerId()
                ? Errors.PRODUCER_FENCED
                : Errors.INVALID_PRODUCER_ID_MAPPING;
    }

    /** @throws ApiException INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE */
    private TransactionMetadata validated(TransactionPartitions request) {
        Transactions.@Nullable Entry entry = context.transactions().find(request.transactionalId());
        if (entry == null) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        if (entry.metadata().isKept()) {
            throw refusedAsKept(entry.metadata(), request.producer()).exception();
        }
        if (entry.metadata().producerId() != request.producer().id()) {
            throw Errors.INVALID_PRODUCER_ID_MAPPING.exception();
        }
        if (entry.metadata().producerEpoch() != request.producer().epoch()) {
            throw Errors.PRODUCER_FENCED.exception();
        }
        if (entry.metadata().state().isEnding()) {
            throw Errors.CONCURRENT_TRANSACTIONS.exception();
        }
        return entry.metadata();
    }
}
