package io.barnabas.request;

import io.barnabas.port.Connection;
import io.barnabas.port.Responder;
import io.barnabas.request.RequestMetrics.ApiFigures;
import io.barnabas.time.Clock;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes the answer on and counts its latency. An answer that cannot be counted or passed on closes the connection and never throws:
 * whoever answers late (a future, a worker) has nobody who would see it, and the client would wait for ever.
 *
 * <p>Used by one request, from any thread, once.
 */
final class MeasuredResponder implements Responder {
    private static final Logger LOG = LoggerFactory.getLogger(MeasuredResponder.class);

    private final Responder responder;
    private final ApiFigures figures;
    private final Clock clock;
    private final long receivedNanos;
    private final Connection connection;
    private volatile boolean answered;

    MeasuredResponder(Responder responder, ApiFigures figures, Clock clock, long receivedNanos, Connection connection) {
        this.responder = responder;
        this.figures = figures;
        this.clock = clock;
        this.receivedNanos = receivedNanos;
        this.connection = connection;
    }

    boolean answered() {
        return answered;
    }

    void onRefused(Errors error) {
        figures.onRefused(error);
    }

    void onError(Errors error) {
        figures.onError(error);
    }

    @Override
    public void respond(ApiMessage body) {
        give(() -> {
            figures.onBody(body);
            responder.respond(body);
        });
    }

    @Override
    public void respond(ApiMessage body, short version) {
        give(() -> {
            figures.onBody(body);
            responder.respond(body, version);
        });
    }

    @Override
    public void respondNothing() {
        give(responder::respondNothing);
    }

    @Override
    public void close() {
        give(responder::close);
    }

    private void give(Runnable answer) {
        answered = true;
        try {
            figures.onAnswer(clock.nanoTime() - receivedNanos);
            answer.run();
        } catch (RuntimeException | Error e) {
            LOG.error(
                    "an answer could not be given, its connection is closed; remote={}", connection.remoteAddress(), e);
            connection.close();
        }
    }
}
