package io.barnabas.request;

import io.barnabas.port.Responder;
import io.barnabas.wire.MalformedRequestException;
import io.barnabas.wire.RequestDecoder;
import io.barnabas.wire.RequestFrame;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.message.EnvelopeRequestData;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Envelope 0 (KIP-590): a client's request that another node has forwarded to the controller. The request's own handler answers it, for the
 * client's principal and address. If this is not the controller, or ceases to be on the way, the envelope says so, and the other node
 * asks again. Safe from any thread.
 */
public final class EnvelopeHandler implements ApiHandler<EnvelopeRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(EnvelopeHandler.class);

    private final HandlerRegistry handlers;
    private final BooleanSupplier controllerIsHere;
    private final AnswerErrors errors = new AnswerErrors();

    /** @param handlers what is served here: its forwardable part is */
    public EnvelopeHandler(HandlerRegistry handlers, BooleanSupplier controllerIsHere) {
        this.handlers = handlers;
        this.controllerIsHere = controllerIsHere;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ENVELOPE;
    }

    @Override
    public boolean interBrokerOnly() {
        return true;
    }

    @Override
    public void handle(EnvelopeRequestData request, RequestContext context, Responder responder) {
        var unused = answer(request).thenAccept(responder::respond);
    }

    /** Answers an envelope; never fails. The envelope's buffers are read before this returns. */
    public CompletableFuture<ApiMessage> answer(EnvelopeRequestData envelope) {
        if (!controllerIsHere.getAsBoolean()) {
            return refused(Errors.NOT_CONTROLLER);
        }
        KafkaPrincipal principal;
        try {
            principal = Envelopes.principal(envelope.requestPrincipal());
        } catch (RuntimeException e) {
            LOG.error("the principal of a forwarded request cannot be read", e);
            return refused(Errors.PRINCIPAL_DESERIALIZATION_FAILURE);
        }
        RequestFrame frame;
        ForwardedConnection client;
        try {
            frame = new RequestDecoder((api, version) -> handler(api, version) != null)
                    .decode(envelope.requestData().duplicate(), 0);
            InetAddress address = InetAddress.getByAddress(envelope.clientHostAddress());
            client =
                    new ForwardedConnection(principal, new InetSocketAddress(address, 0), Envelopes.listener(envelope));
        } catch (MalformedRequestException | UnknownHostException e) {
            LOG.error("a forwarded request cannot be read: {}", e.getMessage());
            return refused(Errors.INVALID_REQUEST);
        }
        @Nullable ApiHandler<?> handler = handler(frame.api(), frame.version());
        return handler == null ? refused(Errors.UNSUPPORTED_VERSION) : run(handler, new RequestContext(frame, client));
    }

    private @Nullable ApiHandler<?> handler(ApiKeys api, short version) {
        return api.forwardable ? handlers.handler(api, version, "") : null;
    }

    @SuppressWarnings("unchecked") // the decoder makes the body of the request's api, and the handler states that api
    private CompletableFuture<ApiMessage> run(ApiHandler<?> handler, RequestContext context) {
        Inner answer = new Inner(context.frame());
        try {
            ((ApiHandler<ApiMessage>) handler).handle(context.frame().body(), context, answer);
        } catch (RuntimeException e) {
            ErrorResponses.answer(context, e, answer);
        }
        return answer.outcome;
    }

    private static CompletableFuture<ApiMessage> refused(Errors error) {
        return CompletableFuture.completedFuture(new EnvelopeResponseData().setErrorCode(error.code()));
    }

    /** Puts the answer into an envelope. */
    private final class Inner implements Responder {
        private final RequestFrame frame;
        private final CompletableFuture<ApiMessage> outcome = new CompletableFuture<>();

        private Inner(RequestFrame frame) {
            this.frame = frame;
        }

        @Override
        public void respond(ApiMessage body) {
            respond(body, frame.version());
        }

        @Override
        public void respond(ApiMessage body, short version) {
            AtomicBoolean deposed = new AtomicBoolean();
            errors.forEach(body, error -> deposed.compareAndSet(false, error == Errors.NOT_CONTROLLER));
            if (deposed.get()) {
                refuse(Errors.NOT_CONTROLLER);
                return;
            }
            try {
                outcome.complete(new EnvelopeResponseData()
                        .setResponseData(Envelopes.answer(frame.api(), version, frame.correlationId(), body)));
            } catch (RuntimeException e) {
                LOG.error("an answer cannot be written; api={}", frame.api(), e);
                refuse(Errors.UNKNOWN_SERVER_ERROR);
            }
        }

        @Override
        public void respondNothing() {
            refuse(Errors.UNKNOWN_SERVER_ERROR); // everything that is forwarded has an answer
        }

        @Override
        public void close() {
            refuse(Errors.UNKNOWN_SERVER_ERROR);
        }

        private void refuse(Errors error) {
            outcome.complete(new EnvelopeResponseData().setErrorCode(error.code()));
        }
    }
}
