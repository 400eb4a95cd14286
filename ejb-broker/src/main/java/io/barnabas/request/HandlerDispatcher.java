package io.barnabas.request;

import io.barnabas.port.Connection;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.port.Responder;
import io.barnabas.port.TransactionBranches;
import io.barnabas.request.RequestMetrics.ApiFigures;
import io.barnabas.time.Clock;
import io.barnabas.wire.FormerProduce;
import io.barnabas.wire.FormerProduceResponse;
import io.barnabas.wire.RequestFrame;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the handler of each request on the connection's own event loop: no queue and no thread hand-off between the socket and the
 * log. Comes after the request decoder of {@code wire}, before the handlers of this package; measures each API on the way.
 */
public final class HandlerDispatcher implements RequestDispatcher {
    private static final Logger LOG = LoggerFactory.getLogger(HandlerDispatcher.class);

    private final Supplier<ListenerSettings> listeners;
    private final HandlerRegistry handlers;
    private final RequestMetrics metrics;
    private final Clock clock;
    private final List<Consumer<Connection>> closedListeners;
    private final Runnable onClose;
    private Runnable onOpen = () -> {}; // set before the sockets open
    private Runnable onLeave = () -> {}; // likewise
    private @Nullable LocalBranches branches; // likewise
    private @Nullable Forwarder forwarder; // likewise
    private volatile boolean halted;

    /**
     * Makes the dispatcher of a broker that is ready to serve.
     *
     * @param listeners the present settings of the sockets
     * @param closedListeners told of each connection that is gone, on its event loop
     * @param onClose stops the cores, in order; may block
     */
    public HandlerDispatcher(
            Supplier<ListenerSettings> listeners,
            HandlerRegistry handlers,
            Measures measures,
            List<Consumer<Connection>> closedListeners,
            Runnable onClose) {
        this.listeners = listeners;
        this.handlers = handlers.seal();
        this.metrics = measures.metrics();
        this.clock = measures.clock();
        this.closedListeners = List.copyOf(closedListeners);
        this.onClose = onClose;
    }

    /** Has {@code action} run once the sockets are open; may block, bounded. To be set before they are. */
    public HandlerDispatcher whenOpen(Runnable action) {
        onOpen = action;
        return this;
    }

    /** Has {@code action} run before the sockets are closed; may block, bounded. To be set before they are open. */
    public HandlerDispatcher whenLeaving(Runnable action) {
        onLeave = action;
        return this;
    }

    /** What {@link #branches} gives; closed first when this is. To be set before the sockets open. */
    public HandlerDispatcher offering(LocalBranches transactions) {
        branches = transactions;
        return this;
    }

    /** Has requests that the controller decides sent to it while it is another node. To be set before the sockets open. */
    public HandlerDispatcher forwarding(Forwarder toController) {
        forwarder = toController;
        return this;
    }

    /** Serves nothing any more: each request closes its connection, so that nobody is told what may not hold. Safe from any thread. */
    public void halt() {
        halted = true;
    }

    /** What a dispatcher measures with. */
    public record Measures(RequestMetrics metrics, Clock clock) {}

    @Override
    public ListenerSettings listeners() {
        return listeners.get();
    }

    @Override
    public boolean serves(ApiKeys api, short version, String listenerName) {
        return handlers.handler(api, version, listenerName) != null;
    }

    @Override
    public void dispatch(RequestFrame request, Connection connection, Responder responder) {
        if (halted) {
            responder.close();
            return;
        }
        ApiFigures figures = metrics.of(request.api());
        figures.onRequest(request.sizeInBytes());
        MeasuredResponder measured =
                new MeasuredResponder(responder, figures, clock, request.receivedNanos(), connection);
        String listener = connection.listenerName();
        @Nullable ApiHandler<?> handler = handlers.handler(request.api(), request.version(), listener);
        if (handler == null) {
            refuse(request, connection, measured);
        } else {
            RequestContext context = new RequestContext(request, connection, handlers.isInterBroker(listener));
            Forwarder toController = forwarder;
            if (handler.isForwarded() && toController != null && toController.isNeeded()) {
                toController.forward(context, measured);
            } else {
                handle(handler, context, measured);
            }
        }
    }

    @SuppressWarnings("unchecked") // the decoder makes the body of the request's api, and the handler states that api
    private static void handle(ApiHandler<?> handler, RequestContext context, MeasuredResponder responder) {
        try {
            ((ApiHandler<ApiMessage>) handler).handle(context.frame().body(), context, responder);
        } catch (Throwable failure) { // whatever it is: the connection waits for an answer
            if (responder.answered()) {
                LOG.error("a handler failed after its answer; api={}", handler.api(), failure);
            } else {
                responder.onError(ErrorResponses.answer(context, failure, responder));
            }
        }
    }

    /**
     * A version of Produce that is advertised and not served has its error, an unknown one of ApiVersions is answered in version 0
     * (KIP-511); anything else was not advertised: the connection closes, as Kafka does.
     */
    private void refuse(RequestFrame request, Connection connection, MeasuredResponder responder) {
        if (FormerProduce.isFormer(request.api(), request.version())) {
            refuseProduce((ProduceRequestData) request.body(), responder);
            return;
        }
        if (request.api() != ApiKeys.API_VERSIONS) {
            responder.onRefused(Errors.UNSUPPORTED_VERSION);
            LOG.info(
                    "request of an api or version that is not served; api={} version={} remote={}",
                    request.api(),
                    request.version(),
                    connection.remoteAddress());
            responder.close();
            return;
        }
        ApiVersionCollection versions = new ApiVersionCollection();
        for (ApiVersion served : handlers.served(connection.listenerName())) {
            if (served.apiKey() == ApiKeys.API_VERSIONS.id) {
                versions.mustAdd(served);
            }
        }
        responder.respond(
                new ApiVersionsResponseData()
                        .setErrorCode(Errors.UNSUPPORTED_VERSION.code())
                        .setApiKeys(versions),
                (short) 0);
    }

    /** With acks=0 there is no answer, and the closed connection has to tell. */
    private static void refuseProduce(ProduceRequestData request, MeasuredResponder responder) {
        responder.onRefused(Errors.UNSUPPORTED_VERSION);
        if (request.acks() == 0) {
            responder.close();
        } else {
            responder.respond(
                    new FormerProduceResponse(ErrorResponses.produceBody(request, Errors.UNSUPPORTED_VERSION)));
        }
    }

    @Override
    public void onOpen() {
        onOpen.run();
    }

    @Override
    public void leave() {
        onLeave.run();
    }

    @Override
    public TransactionBranches branches() {
        TransactionBranches offered = branches;
        if (offered == null) {
            throw new UnsupportedOperationException("this dispatcher was made without transactions");
        }
        return offered;
    }

    @Override
    public void onConnectionClosed(Connection connection) {
        for (Consumer<Connection> listener : closedListeners) {
            listener.accept(connection);
        }
    }

    @Override
    public void close() {
        LocalBranches offered = branches;
        if (offered != null) {
            offered.close();
        }
        onClose.run();
    }
}
