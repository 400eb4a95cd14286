package io.barnabas.peer;

import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionCoordinatorSettings;
import io.barnabas.coordinator.transaction.TransactionMembers;
import io.barnabas.coordinator.transaction.TransactionPartitions;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.PartitionImage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResult;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Asks the coordinator of a transaction which partitions have joined it: here, or by AddPartitionsToTxn to the broker that it is on
 * (KIP-890), for many transactions in one request. Safe from any thread.
 */
public final class ClusterMembers implements TransactionMembers {
    private static final short ADDS_FROM_VERSION = 2;

    private final Metadata metadata;
    private final TransactionCoordinator local;
    private final BrokerLinks links;
    private final BatchedQuestions<Question> questions;

    /** @param timeoutMs how long another broker may take to answer */
    public ClusterMembers(Metadata metadata, TransactionCoordinator local, BrokerLinks links, int timeoutMs) {
        this.metadata = metadata;
        this.local = local;
        this.links = links;
        this.questions = new BatchedQuestions<>(links, Lane.JOINS, new Questions(), timeoutMs);
    }

    private record Question(
            TransactionPartitions of, boolean verifyOnly, CompletableFuture<Map<TopicPartition, Errors>> answer) {}

    @Override
    public TransactionCoordinatorSettings settings() {
        return local.settings();
    }

    @Override
    public CompletableFuture<Errors> add(TransactionPartitions request, short version) {
        int coordinator = coordinator(request);
        if (coordinator == links.nodeId() || request.transactionalId().isEmpty()) {
            return local.add(request, version);
        }
        if (version < ADDS_FROM_VERSION) {
            throw new IllegalArgumentException(
                    "clients of transaction version " + version + " add partitions themselves");
        }
        return ask(coordinator, request, false).thenApply(ClusterMembers::one);
    }

    /** A partition that fails takes the others with it. */
    private static Errors one(Map<TopicPartition, Errors> errors) {
        Errors one = Errors.NONE;
        for (Errors error : errors.values()) {
            if (one == Errors.NONE || one == Errors.OPERATION_NOT_ATTEMPTED) {
                one = error == Errors.NONE ? one : error;
            }
        }
        return one;
    }

    @Override
    public CompletableFuture<Map<TopicPartition, Errors>> verify(TransactionPartitions request) {
        int coordinator = coordinator(request);
        return coordinator == links.nodeId() || request.transactionalId().isEmpty()
                ? local.verify(request)
                : ask(coordinator, request, true);
    }

    /** The broker that the transaction's coordinator is on; -1 if there is none at present. */
    private int coordinator(TransactionPartitions request) {
        @Nullable
        PartitionImage partition = metadata.image()
                .partition(Topic.TRANSACTION_STATE_TOPIC_NAME, local.partitionFor(request.transactionalId()));
        return partition == null ? -1 : partition.leader();
    }

    private CompletableFuture<Map<TopicPartition, Errors>> ask(
            int coordinator, TransactionPartitions of, boolean verifyOnly) {
        if (coordinator < 0) {
            return CompletableFuture.completedFuture(all(of, Errors.COORDINATOR_NOT_AVAILABLE));
        }
        Question question = new Question(of, verifyOnly, new CompletableFuture<>());
        questions.ask(coordinator, question);
        return question.answer;
    }

    private static Map<TopicPartition, Errors> all(TransactionPartitions of, Errors error) {
        Map<TopicPartition, Errors> errors = new HashMap<>();
        of.partitions().forEach(partition -> errors.put(partition, error));
        return errors;
    }

    /** A request names a transaction once: two questions of one go one after the other. */
    private static final class Questions implements BatchedQuestions.Kind<Question> {
        @Override
        public Object key(Question question) {
            return question.of.transactionalId();
        }

        @Override
        public Object value(Question question) {
            return question; // no other is equal
        }

        @Override
        public ApiMessage request(List<Question> batch) {
            AddPartitionsToTxnRequestData request = new AddPartitionsToTxnRequestData();
            for (Question question : batch) {
                AddPartitionsToTxnTransaction transaction = new AddPartitionsToTxnTransaction()
                        .setTransactionalId(question.of.transactionalId())
                        .setProducerId(question.of.producer().id())
                        .setProducerEpoch(question.of.producer().epoch())
                        .setVerifyOnly(question.verifyOnly);
                for (TopicPartition partition : question.of.partitions()) {
                    @Nullable
                    AddPartitionsToTxnTopic topic = transaction.topics().find(partition.topic());
                    if (topic == null) {
                        topic = new AddPartitionsToTxnTopic().setName(partition.topic());
                        transaction.topics().add(topic);
                    }
                    topic.partitions().add(partition.partition());
                }
                request.transactions().add(transaction);
            }
            return request;
        }

        @Override
        public void onAnswer(List<Question> batch, ApiMessage body) {
            AddPartitionsToTxnResponseData answer = (AddPartitionsToTxnResponseData) body;
            for (Question question : batch) {
                Errors whole = Errors.forCode(answer.errorCode());
                Map<TopicPartition, Errors> errors =
                        all(question.of, whole == Errors.NONE ? Errors.UNKNOWN_SERVER_ERROR : whole);
                @Nullable
                AddPartitionsToTxnResult result = answer.resultsByTransaction().find(question.of.transactionalId());
                if (whole == Errors.NONE && result != null) {
                    result.topicResults().forEach(topic -> topic.resultsByPartition()
                            .forEach(partition -> errors.replace(
                                    new TopicPartition(topic.name(), partition.partitionIndex()),
                                    Errors.forCode(partition.partitionErrorCode()))));
                }
                question.answer.complete(errors);
            }
        }

        @Override
        public void onFailure(Question question, NetworkException cause) {
            question.answer.complete(all(question.of, Errors.NETWORK_EXCEPTION));
        }
    }
}
