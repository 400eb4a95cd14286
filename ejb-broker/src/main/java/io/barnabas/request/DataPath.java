package io.barnabas.request;

import io.barnabas.log.LogManager;
import io.barnabas.metadata.Metadata;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.port.Responder;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/**
 * What the handlers of the data path work with.
 *
 * @param scans threads that may touch files, for what clients have looked up in the logs; rejects what is more than its bound
 */
public record DataPath(
        LocalPartitions partitions,
        LogManager logs,
        Metadata metadata,
        RequestMetrics metrics,
        Ticker ticker,
        Clock clock,
        Executor scans) {

    /**
     * Makes the answer on a thread that may touch files or take long. What goes wrong is answered too, and where too many wait already
     * that is the time-out that clients try again after. An {@link Error} closes the connection and is the thread's.
     */
    void answerOnScan(RequestContext context, Responder responder, Supplier<ApiMessage> answer) {
        runOnScan(context, responder, () -> {
            ApiMessage body = answer.get();
            return () -> responder.respond(body);
        });
    }

    /** As {@link #answerOnScan}; what the work returns gives the answer, or sees to it that it is given later. */
    void runOnScan(RequestContext context, Responder responder, Supplier<Runnable> work) {
        try {
            scans.execute(() -> {
                Runnable answer;
                try {
                    answer = work.get();
                } catch (RuntimeException failure) {
                    fail(context, failure, responder);
                    return;
                } catch (Error defect) {
                    responder.close(); // the client is not to wait for ever
                    throw defect;
                }
                answer.run();
            });
        } catch (RejectedExecutionException e) {
            fail(context, new TimeoutException("Too many requests wait for a look into the logs"), responder);
        }
    }

    private void fail(RequestContext context, RuntimeException failure, Responder responder) {
        metrics.of(context.frame().api()).onError(ErrorResponses.answer(context, failure, responder));
    }

    /** The error for one partition of an answer, counted. */
    Errors partError(RequestContext context, Throwable failure) {
        Errors error = ErrorResponses.partError(context, failure);
        metrics.of(context.frame().api()).onError(error);
        return error;
    }
}
