package io.barnabas.request;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.port.Responder;
import io.barnabas.wire.RequestFrame;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponseCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one place where what went wrong becomes an answer: a throwable is mapped to the protocol's error code and put into the API's own
 * error response. Comes after a handler has failed, in its dispatch or later; safe from any thread.
 *
 * <p>The error response of an API is known to kafka-clients' request classes. Those are built from bytes, so the (rare) failed
 * request is written out and read back. Produce is built here: its records are no longer valid when it fails late.
 */
public final class ErrorResponses {
    private static final Logger LOG = LoggerFactory.getLogger(ErrorResponses.class);

    private ErrorResponses() {}

    /** The protocol's error of a throwable, wrappers of futures taken off; UNKNOWN_SERVER_ERROR for what no API may answer. */
    public static Errors errorOf(Throwable failure) {
        return Errors.forException(CoordinatorErrors.cause(failure));
    }

    /**
     * Answers a request that failed as a whole. An unexpected failure is logged, once, with the facts of the request.
     *
     * @return the error that was answered
     */
    public static Errors answer(RequestContext context, Throwable failure, Responder responder) {
        Throwable cause = expected(context.frame(), failure);
        Errors error = Errors.forException(cause);
        @Nullable ApiMessage body;
        try {
            body = body(context.frame(), cause);
        } catch (RuntimeException e) {
            LOG.error(
                    "no error response could be built; api={} version={} error={}",
                    context.frame().api(),
                    context.version(),
                    error,
                    e);
            responder.close();
            return error;
        }
        if (body != null) {
            responder.respond(body);
        } else if (context.frame().api() == ApiKeys.PRODUCE) {
            responder.close(); // acks=0: the closed connection tells the producer to look for the leader again
        } else {
            responder.respondNothing();
        }
        return error;
    }

    /** The error for one part of a request (a partition, a group); an unexpected failure is logged with the facts of the request. */
    public static Errors partError(RequestContext context, Throwable failure) {
        return Errors.forException(expected(context.frame(), failure));
    }

    private static Throwable expected(RequestFrame frame, Throwable failure) {
        Throwable cause = CoordinatorErrors.cause(failure);
        if (Errors.forException(cause) != Errors.UNKNOWN_SERVER_ERROR) {
            return cause;
        }
        LOG.error(
                "request failed unexpectedly; api={} version={} correlationId={} clientId={}",
                frame.api(),
                frame.version(),
                frame.correlationId(),
                frame.clientId(),
                cause);
        return Errors.UNKNOWN_SERVER_ERROR.exception(); // its text alone: ours is not for clients
    }

    /** The API's error response, or null where the request gets no answer. */
    private static @Nullable ApiMessage body(RequestFrame frame, Throwable cause) {
        if (frame.body() instanceof ProduceRequestData produce) {
            return produce.acks() == 0 ? null : produceBody(produce, Errors.forException(cause));
        }
        AbstractRequest request = AbstractRequest.parseRequest(
                        frame.api(), frame.version(), MessageUtil.toByteBufferAccessor(frame.body(), frame.version()))
                .request;
        @Nullable AbstractResponse response = request.getErrorResponse(cause);
        return response == null ? null : response.data();
    }

    /** A Produce that has failed as a whole: each of its partitions has the error. */
    static ProduceResponseData produceBody(ProduceRequestData request, Errors error) {
        TopicProduceResponseCollection topics = new TopicProduceResponseCollection();
        for (var topic : request.topicData()) {
            List<PartitionProduceResponse> partitions = new ArrayList<>();
            for (var partition : topic.partitionData()) {
                partitions.add(new PartitionProduceResponse()
                        .setIndex(partition.index())
                        .setErrorCode(error.code())
                        .setBaseOffset(-1)
                        .setLogAppendTimeMs(-1)
                        .setLogStartOffset(-1)
                        .setErrorMessage(error.message()));
            }
            topics.mustAdd(new TopicProduceResponse()
                    .setName(topic.name())
                    .setTopicId(topic.topicId())
                    .setPartitionResponses(partitions));
        }
        return new ProduceResponseData().setResponses(topics);
    }
}
