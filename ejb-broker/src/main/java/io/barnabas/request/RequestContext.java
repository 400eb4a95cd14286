package io.barnabas.request;

import io.barnabas.port.Connection;
import io.barnabas.time.Ticker;
import io.barnabas.wire.RequestFrame;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * Who asks, and how: everything of a request but its body.
 *
 * @param interBroker it came over the listener of the brokers, so that another broker asks
 */
public record RequestContext(RequestFrame frame, Connection connection, boolean interBroker) {
    /** Of a request of a client. */
    public RequestContext(RequestFrame frame, Connection connection) {
        this(frame, connection, false);
    }

    public short version() {
        return frame.version();
    }

    /** The client's id, or the empty string. */
    public String clientId() {
        @Nullable String id = frame.clientId();
        return id == null ? "" : id;
    }

    /** The client's address as groups show it: a slash and the address. */
    public String clientHost() {
        return "/" + connection.remoteAddress().getAddress().getHostAddress();
    }

    public KafkaPrincipal principal() {
        return connection.principal();
    }

    /** Another node took the request from its client and passed it on, because this one is the controller. */
    public boolean forwarded() {
        return connection instanceof ForwardedConnection;
    }

    public String listenerName() {
        return connection.listenerName();
    }

    /** The same outcome; {@code late} runs on the connection's event loop if it is not there after so many milliseconds. */
    <T> CompletableFuture<T> within(int ms, Ticker ticker, CompletableFuture<T> outcome, Runnable late) {
        Ticker.Timeout timeout = ticker.after(ms, () -> connection.execute(late));
        return outcome.whenComplete((result, failure) -> timeout.cancel());
    }
}
