package io.barnabas.request;

import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionPartitions;
import io.barnabas.log.AppendTerms;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitions;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * The transaction of one Produce: for each partition the terms of its append, or why it is refused (KIP-890). Filled on the connection's
 * event loop; the coordinator's answer may come on another thread, which then appends.
 */
final class TransactionalProduce {
    private final LocalPartitions partitions;
    private final Enlistment.Mode mode;
    private final Map<TopicPartition, Long> guards = new HashMap<>();
    private final Map<TopicPartition, RuntimeException> refused = new HashMap<>();
    private @Nullable ProducerIdentity producer;
    private boolean trusted;

    TransactionalProduce(LocalPartitions partitions, Enlistment.Mode mode) {
        this.partitions = partitions;
        this.mode = mode;
    }

    /**
     * Notes a partition whose batch is transactional.
     *
     * @throws InvalidPidMappingException another producer's than those before
     */
    void begin(String topic, PartitionProduceData data) {
        if (!ProducedBatch.isTransactional(data.records()) || !(data.records() instanceof MemoryRecords records)) {
            return;
        }
        ProducerIdentity writer =
                new ProducerIdentity(ProducedBatch.producerId(records), ProducedBatch.producerEpoch(records));
        if (producer != null && !producer.equals(writer)) {
            throw new InvalidPidMappingException("Transactional records contained more than one producer ID");
        }
        producer = writer;
        TopicPartition of = new TopicPartition(topic, data.index());
        try {
            LocalPartition partition = partitions.hosted(topic, data.index());
            long guard = partition.beginVerification(
                    writer.id(), writer.epoch(), ProducedBatch.baseSequence(records), mode == Enlistment.Mode.ADD);
            if (guard != AppendTerms.NO_GUARD) {
                guards.put(of, guard);
            }
        } catch (RuntimeException e) {
            refused.put(of, e);
        }
    }

    /** Asks the coordinator, if need be; completes with this. */
    CompletableFuture<TransactionalProduce> verify(Enlistment enlistment, String transactionalId) {
        trusted = !enlistment.isNeeded(mode);
        if (trusted || guards.isEmpty() || producer == null) {
            return CompletableFuture.completedFuture(this);
        }
        TransactionPartitions joining = new TransactionPartitions(transactionalId, producer, guards.keySet());
        return enlistment.enlist(joining, mode).thenApply(errors -> {
            errors.forEach((partition, error) -> refused.put(partition, told(error)));
            return this;
        });
    }

    /** Old clients give up on errors of the coordinator; this one makes them send again, without looking for the leader. */
    private RuntimeException told(Errors error) {
        return switch (error) {
            case INVALID_TXN_STATE -> new InvalidTxnStateException("Partition was not added to the transaction");
            case NETWORK_EXCEPTION, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR ->
                again(error);
            case CONCURRENT_TRANSACTIONS -> mode == Enlistment.Mode.ADD ? error.exception() : again(error);
            default -> error.exception();
        };
    }

    private static NotEnoughReplicasException again(Errors error) {
        return new NotEnoughReplicasException(
                "Unable to verify the partition has been added to the transaction. Underlying error: " + error);
    }

    /** The terms to append a transactional batch with; throws if it is refused. */
    AppendTerms terms(String topic, int index) {
        TopicPartition partition = new TopicPartition(topic, index);
        @Nullable RuntimeException refusal = refused.get(partition);
        if (refusal != null) {
            throw refusal;
        }
        return trusted ? AppendTerms.NONE : AppendTerms.guarded(guards.getOrDefault(partition, AppendTerms.NO_GUARD));
    }
}
