package io.barnabas.request;

import io.barnabas.metadata.ControllerChannel;
import io.barnabas.port.Responder;
import io.barnabas.wire.MalformedResponseException;
import io.barnabas.wire.ResponseDecoder;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what the controller decides to it, in an Envelope with who asked and from where (KIP-590), if this node is not the controller: its
 * {@link EnvelopeHandler} runs the same handler there. So clients may send changes to any node. Before it: {@link HandlerDispatcher};
 * after it: {@link ControllerChannel}, which finds the controller and asks again. Safe from any thread.
 */
public final class Forwarder {
    private static final Logger LOG = LoggerFactory.getLogger(Forwarder.class);

    private final ControllerChannel channel;
    private final BooleanSupplier controllerIsHere;
    private final int timeoutMs;

    /** @param timeoutMs a request without an answer by then is answered REQUEST_TIMED_OUT */
    public Forwarder(ControllerChannel channel, BooleanSupplier controllerIsHere, int timeoutMs) {
        this.channel = channel;
        this.controllerIsHere = controllerIsHere;
        this.timeoutMs = timeoutMs;
    }

    /** Whether the controller is not this node. */
    public boolean isNeeded() {
        return !controllerIsHere.getAsBoolean();
    }

    /** Has the controller answer a request. */
    void forward(RequestContext context, Responder responder) {
        var unused = forward(context, context.frame().body()).whenComplete((body, failure) -> {
            if (failure != null) {
                ErrorResponses.answer(context, failure, responder);
            } else {
                responder.respond(body);
            }
        });
    }

    /** Asks the controller in the name of a client: for {@code body}, in the version of the client's request. */
    CompletableFuture<ApiMessage> forward(RequestContext context, ApiMessage body) {
        return send(
                body,
                context.version(),
                new Asker(
                        context.principal(),
                        context.connection().remoteAddress().getAddress(),
                        context.clientId(),
                        context.listenerName()));
    }

    /** Asks the controller in this broker's own name. */
    CompletableFuture<ApiMessage> send(ApiMessage body) {
        return send(
                body,
                ApiKeys.forId(body.apiKey()).latestVersion(false),
                new Asker(KafkaPrincipal.ANONYMOUS, InetAddress.getLoopbackAddress(), "broker", ""));
    }

    /** Who asks. */
    private record Asker(KafkaPrincipal principal, InetAddress address, String clientId, String listener) {}

    private CompletableFuture<ApiMessage> send(ApiMessage body, short version, Asker asker) {
        ApiKeys api = ApiKeys.forId(body.apiKey());
        EnvelopeRequestData envelope;
        try {
            envelope = new EnvelopeRequestData()
                    .setRequestData(Envelopes.request(version, asker.clientId(), body))
                    .setRequestPrincipal(Envelopes.principal(asker.principal()))
                    .setClientHostAddress(asker.address().getAddress());
            Envelopes.setListener(envelope, asker.listener());
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
        return channel.send(envelope, timeoutMs)
                .thenApply(answer -> unwrapped((EnvelopeResponseData) answer, api, version));
    }

    private static ApiMessage unwrapped(EnvelopeResponseData answer, ApiKeys api, short version) {
        Errors error = Errors.forCode(answer.errorCode());
        if (error != Errors.NONE || answer.responseData() == null) {
            LOG.error("the controller did not take a request; api={} error={}", api, error);
            throw new UnknownServerException("The request could not be forwarded: " + error);
        }
        try {
            return new ResponseDecoder().decode(answer.responseData(), api, version, Envelopes.CORRELATION_ID);
        } catch (MalformedResponseException e) {
            throw new CompletionException(e);
        }
    }
}
