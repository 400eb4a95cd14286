package io.barnabas.metadata;

import io.barnabas.time.Ticker;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** The way to a controller that is in the same process, for tests of those who ask it. Safe from any thread. */
public final class LocalChannel implements ControllerChannel {
    private static final long RETRY_MS = 20;

    private final ControllerRequests controller;
    private final Ticker ticker;

    /** @param ticker when to ask again, and when to give up */
    public LocalChannel(ControllerRequests controller, Ticker ticker) {
        this.controller = controller;
        this.ticker = ticker;
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // ends with the answer
    public CompletableFuture<ApiMessage> send(ApiMessage request, int timeoutMs) {
        CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
        attempt(request, answer);
        if (!answer.isDone()) {
            Ticker.Timeout timeout = ticker.after(
                    timeoutMs,
                    () -> answer.completeExceptionally(
                            new TimeoutException("The controller did not answer within " + timeoutMs + " ms")));
            answer.whenComplete((body, failure) -> timeout.cancel());
        }
        return answer;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the answer takes it
    private void attempt(ApiMessage request, CompletableFuture<ApiMessage> answer) {
        controller.handle(request).whenComplete((body, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else if (BrokerRegistration.error(body) != Errors.NOT_CONTROLLER) {
                answer.complete(body);
            } else if (!answer.isDone()) {
                ticker.after(RETRY_MS, () -> attempt(request, answer));
            }
        });
    }
}
