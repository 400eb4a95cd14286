package io.barnabas.simulation;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * What a transactional producer asks of the broker, in the versions of its kind.
 *
 * @param newEpochs transaction version 2: each transaction ends with a new epoch
 */
record TransactionRequests(String transactionalId, boolean newEpochs, int timeoutMs) {
    /** What a producer is told when it may ask again, of any of them. */
    static final Set<Errors> RETRIED = Set.of(
            Errors.COORDINATOR_LOAD_IN_PROGRESS,
            Errors.COORDINATOR_NOT_AVAILABLE,
            Errors.NOT_COORDINATOR,
            Errors.CONCURRENT_TRANSACTIONS,
            Errors.NOT_ENOUGH_REPLICAS,
            Errors.NOT_LEADER_OR_FOLLOWER,
            Errors.REQUEST_TIMED_OUT,
            Errors.NETWORK_EXCEPTION);

    /**
     * One request.
     *
     * @param body made anew each time it is sent, as buffers are consumed
     * @param error what the answer says
     */
    record Question<T extends ApiMessage>(
            ApiKeys api, int version, Supplier<ApiMessage> body, Class<T> type, Function<T, Errors> error) {}

    /** @param number of the producer's batches, in order */
    record Batch(int number, int partition, int sequence, List<String> values, long timestamp) {}

    Question<InitProducerIdResponseData> init(ProducerIdentity present) {
        return new Question<>(
                ApiKeys.INIT_PRODUCER_ID,
                5,
                () -> new InitProducerIdRequestData()
                        .setTransactionalId(transactionalId)
                        .setTransactionTimeoutMs(timeoutMs)
                        .setProducerId(present.id())
                        .setProducerEpoch(present.epoch()),
                InitProducerIdResponseData.class,
                answer -> Errors.forCode(answer.errorCode()));
    }

    Question<AddPartitionsToTxnResponseData> addPartition(ProducerIdentity producer, int partition) {
        return new Question<>(
                ApiKeys.ADD_PARTITIONS_TO_TXN,
                3,
                () -> {
                    AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
                    topics.add(new AddPartitionsToTxnTopic()
                            .setName(TransactionNode.TOPIC)
                            .setPartitions(List.of(partition)));
                    return new AddPartitionsToTxnRequestData()
                            .setV3AndBelowTransactionalId(transactionalId)
                            .setV3AndBelowProducerId(producer.id())
                            .setV3AndBelowProducerEpoch(producer.epoch())
                            .setV3AndBelowTopics(topics);
                },
                AddPartitionsToTxnResponseData.class,
                answer -> Errors.forCode(answer.resultsByTopicV3AndBelow()
                        .find(TransactionNode.TOPIC)
                        .resultsByPartition()
                        .find(partition)
                        .partitionErrorCode()));
    }

    Question<ProduceResponseData> produce(ProducerIdentity producer, Batch batch) {
        return new Question<>(
                ApiKeys.PRODUCE,
                newEpochs ? 12 : 11,
                () -> {
                    SimpleRecord[] records = batch.values.stream()
                            .map(value ->
                                    new SimpleRecord(batch.timestamp, null, value.getBytes(StandardCharsets.UTF_8)))
                            .toArray(SimpleRecord[]::new);
                    ProduceRequestData request = new ProduceRequestData()
                            .setTransactionalId(transactionalId)
                            .setAcks((short) -1)
                            .setTimeoutMs(5_000);
                    request.topicData()
                            .add(new ProduceRequestData.TopicProduceData()
                                    .setName(TransactionNode.TOPIC)
                                    .setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                                            .setIndex(batch.partition)
                                            .setRecords(MemoryRecords.withTransactionalRecords(
                                                    Compression.NONE,
                                                    producer.id(),
                                                    producer.epoch(),
                                                    batch.sequence,
                                                    records)))));
                    return request;
                },
                ProduceResponseData.class,
                answer -> Errors.forCode(answer.responses()
                        .iterator()
                        .next()
                        .partitionResponses()
                        .get(0)
                        .errorCode()));
    }

    Question<AddOffsetsToTxnResponseData> addOffsets(ProducerIdentity producer) {
        return new Question<>(
                ApiKeys.ADD_OFFSETS_TO_TXN,
                3,
                () -> new AddOffsetsToTxnRequestData()
                        .setTransactionalId(transactionalId)
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setGroupId(transactionalId),
                AddOffsetsToTxnResponseData.class,
                answer -> Errors.forCode(answer.errorCode()));
    }

    Question<TxnOffsetCommitResponseData> commitOffset(ProducerIdentity producer, long offset) {
        return new Question<>(
                ApiKeys.TXN_OFFSET_COMMIT,
                newEpochs ? 5 : 4,
                () -> new TxnOffsetCommitRequestData()
                        .setTransactionalId(transactionalId)
                        .setGroupId(transactionalId)
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setTopics(List.of(new TxnOffsetCommitRequestTopic()
                                .setName(TransactionNode.TOPIC)
                                .setPartitions(List.of(new TxnOffsetCommitRequestPartition()
                                        .setPartitionIndex(0)
                                        .setCommittedOffset(offset))))),
                TxnOffsetCommitResponseData.class,
                answer -> Errors.forCode(
                        answer.topics().get(0).partitions().get(0).errorCode()));
    }

    Question<EndTxnResponseData> end(ProducerIdentity producer, boolean commit) {
        return new Question<>(
                ApiKeys.END_TXN,
                newEpochs ? 5 : 4,
                () -> new EndTxnRequestData()
                        .setTransactionalId(transactionalId)
                        .setProducerId(producer.id())
                        .setProducerEpoch(producer.epoch())
                        .setCommitted(commit),
                EndTxnResponseData.class,
                answer -> Errors.forCode(answer.errorCode()));
    }
}
