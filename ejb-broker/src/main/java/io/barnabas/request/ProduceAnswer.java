package io.barnabas.request;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.log.AppendTerms;
import io.barnabas.log.RejectedRecords;
import io.barnabas.partition.CutOffException;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.Responder;
import io.barnabas.time.Ticker.Timeout;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidRequiredAcksException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * One Produce on its way: appends batch after batch, collects the answer, and under acks=all waits until all of it is committed.
 *
 * <p>Built on the connection's event loop. If it has to wait, commits and the time-out come from any thread and take its lock.
 */
final class ProduceAnswer {
    private static final short ACKS_ALL = -1;
    private static final short FIRST_VERSION_WITH_LEADER_HINTS = 10;
    private static final String ADMIN_CLIENT_ID = "__admin_client";

    private final DataPath path;
    private final ProduceRequestData request;
    private final short acks;
    private final int timeoutMs;
    private final RequestContext context;
    private final Responder responder;
    private final @Nullable TransactionalProduce transaction;
    private final ProduceResponseData response = new ProduceResponseData();
    private TopicProduceResponse topic = new TopicProduceResponse();
    private @Nullable String topicName;
    private boolean internalTopic;
    private boolean anyError;
    private boolean cutOff;
    private @Nullable LeaderHints hints;
    private @Nullable List<Uncommitted> uncommitted;
    private int waiting; // guarded by this once finish has been called
    private @Nullable Timeout timeout; // guarded by this
    private boolean answered; // guarded by this

    /** A batch that is appended but not committed yet. */
    private record Uncommitted(
            LocalPartition partition, int epoch, long endOffset, PartitionProduceResponse answer, String topic) {}

    /** @param transaction what the coordinator said, if any batch is transactional */
    ProduceAnswer(
            DataPath path,
            ProduceRequestData request,
            RequestContext context,
            Responder responder,
            @Nullable TransactionalProduce transaction) {
        this.transaction = transaction;
        this.path = path;
        this.request = request;
        this.acks = request.acks();
        this.timeoutMs = request.timeoutMs();
        this.context = context;
        this.responder = responder;
    }

    /**
     * What follows is for this topic.
     *
     * @param name null if no topic has the id
     */
    void beginTopic(TopicProduceData of, @Nullable String name) {
        topicName = name;
        internalTopic = name != null && Topic.isInternal(name);
        topic = new TopicProduceResponse()
                .setName(of.name())
                .setTopicId(of.topicId())
                .setPartitionResponses(new ArrayList<>(of.partitionData().size()));
        response.responses().mustAdd(topic);
    }

    /** Appends a partition's batch; what is wrong with it is that partition's answer alone. */
    void append(PartitionProduceData data) {
        PartitionProduceResponse answer = new PartitionProduceResponse()
                .setIndex(data.index())
                .setLogAppendTimeMs(-1)
                .setLogStartOffset(-1);
        topic.partitionResponses().add(answer);
        try {
            append(data, answer);
        } catch (Throwable failure) {
            onFailure(answer, topicName, failure);
        }
    }

    private void append(PartitionProduceData data, PartitionProduceResponse answer) {
        String name = topicName;
        if (name == null) {
            throw new UnknownTopicIdException("No topic has this id");
        }
        @Nullable LocalPartition known = path.partitions().partition(name, data.index());
        if (known == null && path.metadata().image().partition(name, data.index()) == null) {
            throw new UnknownTopicOrPartitionException("There is no partition " + name + "-" + data.index());
        }
        MemoryRecords records = ProducedBatch.checked(data.records(), context.version());
        checkAllowed(name);
        LocalPartition partition = known != null ? known : path.partitions().hosted(name, data.index());
        if (acks == ACKS_ALL) {
            partition.requireInTouch();
        }
        int epoch = partition.leaderEpoch(); // before the append: under a later one the offset may be another's
        AppendResult result = partition.append(records, AppendOrigin.CLIENT, acks, terms(records, name, data.index()));
        answer.setBaseOffset(result.baseOffset())
                .setLogAppendTimeMs(result.logAppendTimeMs())
                .setLogStartOffset(result.logStartOffset());
        long end = result.lastOffset() + 1;
        if (acks == ACKS_ALL && (partition.highWatermark() < end || partition.leaderEpoch() != epoch)) {
            uncommitted = uncommitted == null ? new ArrayList<>() : uncommitted;
            uncommitted.add(new Uncommitted(partition, epoch, end, answer, name));
        }
    }

    private AppendTerms terms(MemoryRecords records, String name, int index) {
        return transaction == null || !ProducedBatch.isTransactional(records)
                ? AppendTerms.NONE
                : transaction.terms(name, index);
    }

    private void checkAllowed(String name) {
        if (acks < ACKS_ALL || acks > 1) {
            throw new InvalidRequiredAcksException("acks must be -1, 0 or 1");
        }
        if (internalTopic && !ADMIN_CLIENT_ID.equals(context.clientId())) {
            throw new InvalidTopicException("Cannot append to internal topic " + name);
        }
    }

    private void onFailure(PartitionProduceResponse answer, @Nullable String name, Throwable failure) {
        anyError = true;
        Errors error = ErrorResponses.partError(context, failure);
        path.metrics().of(ApiKeys.PRODUCE).onError(error);
        answer.setErrorCode(error.code())
                .setBaseOffset(-1)
                .setLogAppendTimeMs(-1)
                .setErrorMessage(error == Errors.UNKNOWN_SERVER_ERROR ? error.message() : failure.getMessage());
        if (failure instanceof RejectedRecords rejected) {
            answer.setRecordErrors(rejected.recordErrors().stream()
                    .map(e -> new BatchIndexAndErrorMessage()
                            .setBatchIndex(e.index())
                            .setBatchIndexErrorMessage(e.message()))
                    .toList());
        }
        if (name != null && (failure instanceof RejectedRecords || failure instanceof InvalidRecordException)) {
            @Nullable LocalPartition partition = path.partitions().partition(name, answer.index());
            answer.setLogStartOffset(
                    partition == null || !partition.online()
                            ? -1
                            : partition.log().logStartOffset());
        }
        if (failure instanceof CutOffException) {
            cutOff = true;
        } else if (error == Errors.NOT_LEADER_OR_FOLLOWER
                && name != null
                && context.version() >= FIRST_VERSION_WITH_LEADER_HINTS) {
            hints = hints == null ? new LeaderHints(path.metadata().image(), context.listenerName()) : hints;
            hints.addTo(answer, name);
        }
    }

    /** Every batch has been appended or refused: answers, or begins to wait. */
    void finish() {
        request.topicData().forEach(of -> of.partitionData().forEach(data -> data.setRecords(null)));
        if (acks == 0) {
            if (anyError) {
                responder.close(); // the producer expects no answer: this tells it to look for the leader again
            } else {
                responder.respondNothing();
            }
        } else if (uncommitted == null) {
            respond();
        } else {
            awaitCommit(uncommitted);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // each outcome is taken by onCommit
    private void awaitCommit(List<Uncommitted> parts) {
        synchronized (this) {
            waiting = parts.size();
            timeout = path.ticker().after(timeoutMs, () -> context.connection().execute(this::onTimeout));
        }
        for (Uncommitted part : parts) {
            part.partition()
                    .committedForClient(part.endOffset(), part.epoch())
                    .whenComplete((nothing, failure) -> onCommit(part, failure));
        }
    }

    private synchronized void onCommit(Uncommitted part, @Nullable Throwable failure) {
        if (answered) {
            return;
        }
        if (failure != null) {
            onFailure(part.answer(), part.topic(), CoordinatorErrors.cause(failure));
        } else if (part.partition().underMinIsr()) {
            onFailure(
                    part.answer(),
                    part.topic(),
                    new NotEnoughReplicasAfterAppendException(
                            "Appended, but to fewer in-sync replicas than min.insync.replicas"));
        }
        if (--waiting == 0) {
            answerAfterWait();
        }
    }

    private synchronized void onTimeout() {
        if (answered || uncommitted == null) {
            return;
        }
        for (Uncommitted part : uncommitted) {
            if (part.answer().errorCode() == Errors.NONE.code()
                    && part.partition().highWatermark() < part.endOffset()) {
                onFailure(part.answer(), part.topic(), new TimeoutException("Not committed within timeout.ms"));
            }
        }
        answerAfterWait();
    }

    private void answerAfterWait() {
        answered = true;
        if (timeout != null) {
            timeout.cancel();
        }
        respond();
    }

    private void respond() {
        if (hints != null) {
            response.setNodeEndpoints(hints.produceEndpoints());
        }
        responder.respond(response);
        if (cutOff) { // the client must not ask here who leads
            context.connection().finish();
        }
    }
}
