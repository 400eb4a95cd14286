package io.barnabas.request;

import io.barnabas.port.Responder;
import io.barnabas.request.RequestMetrics.ApiFigures;
import io.barnabas.time.Clock;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** Passes the answer on and counts its latency. Used by one request, from any thread, once. */
final class MeasuredResponder implements Responder {
    private final Responder responder;
    private final ApiFigures figures;
    private final Clock clock;
    private final long receivedNanos;
    private volatile boolean answered;

    MeasuredResponder(Responder responder, ApiFigures figures, Clock clock, long receivedNanos) {
        this.responder = responder;
        this.figures = figures;
        this.clock = clock;
        this.receivedNanos = receivedNanos;
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
        figures.onBody(body);
        onAnswer();
        responder.respond(body);
    }

    @Override
    public void respond(ApiMessage body, short version) {
        figures.onBody(body);
        onAnswer();
        responder.respond(body, version);
    }

    @Override
    public void respondNothing() {
        onAnswer();
        responder.respondNothing();
    }

    @Override
    public void close() {
        onAnswer();
        responder.close();
    }

    private void onAnswer() {
        answered = true;
        figures.onAnswer(clock.nanoTime() - receivedNanos);
    }
}
