package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorRecord;
import io.barnabas.coordinator.RecordTypes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.coordinator.transaction.generated.CoordinatorRecordType;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue.PartitionsSchema;
import org.jspecify.annotations.Nullable;

/** The records of {@code __transaction_state}: one type, as Kafka 4.4 writes it. */
final class TransactionRecords {
    /** From this level of transaction.version on values are flexible and say more. */
    private static final short FLEXIBLE_LEVEL = 1;

    private TransactionRecords() {}

    /** @param level of the feature transaction.version in the cluster */
    static CoordinatorRecord of(String transactionalId, TransactionMetadata metadata, short level) {
        boolean flexible = level >= FLEXIBLE_LEVEL || metadata.isKept(); // else who the producer is would be lost
        TransactionLogValue value = new TransactionLogValue()
                .setProducerId(metadata.producerId())
                .setProducerEpoch(metadata.producerEpoch())
                .setTransactionTimeoutMs(metadata.timeoutMs())
                .setTransactionStatus(metadata.state().id())
                .setTransactionLastUpdateTimestampMs(metadata.lastUpdateTimestampMs())
                .setTransactionStartTimestampMs(metadata.startTimestampMs())
                .setTransactionPartitions(
                        metadata.state() == TransactionState.EMPTY ? null : partitions(metadata.partitions()));
        if (flexible) {
            value.setPreviousProducerId(metadata.previousProducerId())
                    .setNextProducerId(metadata.nextProducerId())
                    .setNextProducerEpoch(metadata.nextProducerEpoch())
                    .setClientTransactionVersion(metadata.clientVersion());
        }
        return CoordinatorRecord.of(key(transactionalId), value, flexible ? 1 : 0);
    }

    static CoordinatorRecord tombstone(String transactionalId) {
        return CoordinatorRecord.tombstone(key(transactionalId));
    }

    private static TransactionLogKey key(String transactionalId) {
        return new TransactionLogKey().setTransactionalId(transactionalId);
    }

    private static List<PartitionsSchema> partitions(Set<TopicPartition> partitions) {
        Map<String, PartitionsSchema> topics = new LinkedHashMap<>();
        for (TopicPartition partition : partitions) {
            topics.computeIfAbsent(partition.topic(), name -> new PartitionsSchema().setTopic(name))
                    .partitionIds()
                    .add(partition.partition());
        }
        return new ArrayList<>(topics.values());
    }

    static TransactionMetadata metadata(TransactionLogValue value) {
        Set<TopicPartition> partitions = new LinkedHashSet<>();
        @Nullable List<PartitionsSchema> topics = value.transactionPartitions();
        if (topics != null) {
            topics.forEach(
                    topic -> topic.partitionIds().forEach(id -> partitions.add(new TopicPartition(topic.topic(), id))));
        }
        return new TransactionMetadata(
                value.producerId(),
                value.previousProducerId(),
                value.nextProducerId(),
                value.nextProducerEpoch(),
                value.producerEpoch(),
                value.transactionTimeoutMs(),
                TransactionState.of(value.transactionStatus()),
                partitions,
                value.transactionStartTimestampMs(),
                value.transactionLastUpdateTimestampMs(),
                value.clientTransactionVersion());
    }

    /** Records of other types, of a later Kafka, are passed over. */
    static final RecordTypes TYPES = new RecordTypes() {
        @Override
        public @Nullable ApiMessage newKey(short type) {
            return type == CoordinatorRecordType.TRANSACTION_LOG.id() ? new TransactionLogKey() : null;
        }

        @Override
        public ApiMessage newValue(short type) {
            return new TransactionLogValue();
        }
    };
}
