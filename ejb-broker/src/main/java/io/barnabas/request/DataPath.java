package io.barnabas.request;

import io.barnabas.log.LogManager;
import io.barnabas.metadata.Metadata;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.port.Responder;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * What the handlers of the data path work with.
 *
 * @param workers threads that may touch files
 */
public record DataPath(
        LocalPartitions partitions,
        LogManager logs,
        Metadata metadata,
        RequestMetrics metrics,
        Ticker ticker,
        Clock clock,
        Executor workers) {

    /** Makes the answer on a worker, as it may touch files or take long. What goes wrong is answered too. */
    void answerOnWorker(RequestContext context, Responder responder, Supplier<ApiMessage> answer) {
        workers.execute(() -> {
            ApiMessage body;
            try {
                body = answer.get();
            } catch (RuntimeException failure) {
                metrics.of(context.frame().api()).onError(ErrorResponses.answer(context, failure, responder));
                return;
            }
            responder.respond(body);
        });
    }

    /** The error for one partition of an answer, counted. */
    Errors partError(RequestContext context, Throwable failure) {
        Errors error = ErrorResponses.partError(context, failure);
        metrics.of(context.frame().api()).onError(error);
        return error;
    }
}
