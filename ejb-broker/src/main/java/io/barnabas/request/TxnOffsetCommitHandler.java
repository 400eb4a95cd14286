package io.barnabas.request;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionPartitions;
import io.barnabas.log.AppendTerms;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.Responder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.message.TxnOffsetCommitResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.TxnOffsetCommitRequest;
import org.apache.kafka.common.requests.TxnOffsetCommitResponse;
import org.jspecify.annotations.Nullable;

/**
 * TxnOffsetCommit 0–6: finds the topics, by id from version 6 on (KIP-1319), sees to it that the group's partition is part of the
 * transaction (KIP-890), and leaves the commit to the group coordinator.
 */
final class TxnOffsetCommitHandler implements ApiHandler<TxnOffsetCommitRequestData> {
    private static final int TOPIC_ID_VERSION = 6;
    /** Clients below fail on COORDINATOR_LOAD_IN_PROGRESS (KAFKA-7296). */
    private static final int LOADING_VERSION = 2;

    private final TransactionHandlers.Parts parts;

    TxnOffsetCommitHandler(TransactionHandlers.Parts parts) {
        this.parts = parts;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.TXN_OFFSET_COMMIT;
    }

    @Override
    public void handle(TxnOffsetCommitRequestData request, RequestContext context, Responder responder) {
        boolean byId = context.version() >= TOPIC_ID_VERSION;
        TxnOffsetCommitResponse.Builder response = TxnOffsetCommitResponse.newBuilder(byId);
        List<TxnOffsetCommitRequestTopic> known = known(request, byId, response);
        if (known.isEmpty()) {
            responder.respond(response.build().data());
            return;
        }
        TxnOffsetCommitRequestData commit = request.duplicate().setTopics(known);
        GroupResponses.respond(
                commit(commit, context).thenApply(answer -> response.merge(forVersion(answer, context.version()))
                        .build()
                        .data()),
                context,
                responder);
    }

    private List<TxnOffsetCommitRequestTopic> known(
            TxnOffsetCommitRequestData request, boolean byId, TxnOffsetCommitResponse.Builder response) {
        MetadataImage image = parts.metadata().image();
        List<TxnOffsetCommitRequestTopic> known =
                new ArrayList<>(request.topics().size());
        for (TxnOffsetCommitRequestTopic topic : request.topics()) {
            @Nullable TopicImage found = byId ? image.topic(topic.topicId()) : image.topic(topic.name());
            if (found == null) {
                response.addPartitions(
                        topic.topicId(),
                        topic.name(),
                        topic.partitions(),
                        TxnOffsetCommitRequestPartition::partitionIndex,
                        byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION);
                continue;
            }
            TxnOffsetCommitRequestTopic there =
                    new TxnOffsetCommitRequestTopic().setName(found.name()).setTopicId(found.id());
            for (TxnOffsetCommitRequestPartition partition : topic.partitions()) {
                int index = partition.partitionIndex();
                if (index >= 0 && index < found.partitions().size()) {
                    there.partitions().add(partition.duplicate());
                } else {
                    response.addPartition(found.id(), found.name(), index, Errors.UNKNOWN_TOPIC_OR_PARTITION);
                }
            }
            if (!there.partitions().isEmpty()) {
                known.add(there);
            }
        }
        return known;
    }

    private CompletableFuture<TxnOffsetCommitResponseData> commit(
            TxnOffsetCommitRequestData commit, RequestContext context) {
        Enlistment.Mode mode = Enlistment.Mode.ofOffsetCommit(context.version());
        long guard;
        try {
            guard = parts.groups()
                    .beginVerification(
                            commit.groupId(), commit.producerId(), commit.producerEpoch(), mode == Enlistment.Mode.ADD);
        } catch (RuntimeException e) {
            return refused(commit, CoordinatorErrors.of(e));
        }
        if (guard == AppendTerms.NO_GUARD || !parts.enlistment().isNeeded(mode)) {
            return append(commit, context, guard == AppendTerms.NO_GUARD ? guard : AppendTerms.TRUSTED);
        }
        TopicPartition partition = parts.groups().offsetsPartition(commit.groupId());
        TransactionPartitions joining = new TransactionPartitions(
                commit.transactionalId(),
                new ProducerIdentity(commit.producerId(), commit.producerEpoch()),
                List.of(partition));
        return parts.enlistment().enlist(joining, mode).thenCompose(errors -> {
            @Nullable Errors error = errors.get(partition);
            return error == null ? append(commit, context, guard) : refused(commit, CoordinatorErrors.ofAppend(error));
        });
    }

    private CompletableFuture<TxnOffsetCommitResponseData> append(
            TxnOffsetCommitRequestData commit, RequestContext context, long guard) {
        return parts.groups().commitInTransaction(GroupResponses.client(context), commit, guard);
    }

    private static CompletableFuture<TxnOffsetCommitResponseData> refused(
            TxnOffsetCommitRequestData commit, Errors error) {
        return CompletableFuture.completedFuture(TxnOffsetCommitRequest.getErrorResponse(commit, error));
    }

    private static TxnOffsetCommitResponseData forVersion(TxnOffsetCommitResponseData answer, short version) {
        if (version < LOADING_VERSION) {
            answer.topics().forEach(topic -> topic.partitions().forEach(partition -> {
                if (partition.errorCode() == Errors.COORDINATOR_LOAD_IN_PROGRESS.code()) {
                    partition.setErrorCode(Errors.COORDINATOR_NOT_AVAILABLE.code());
                }
            }));
        }
        return answer;
    }
}
