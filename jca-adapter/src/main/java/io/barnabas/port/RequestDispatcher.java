package io.barnabas.port;

import io.barnabas.wire.RequestFrame;
import org.apache.kafka.common.protocol.ApiKeys;

/** The broker, as the sockets see it: what a {@link BrokerPortListener} answers to the port it is given. */
public interface RequestDispatcher {
    /**
     * The sockets to open, asked after the broker is ready to serve. The bounds on connections are asked again with each new one; the
     * rest holds while the sockets are open.
     */
    ListenerSettings listeners();

    /**
     * Whether requests of this version are served on the listener of this name; others are not decoded, their connection is closed.
     * Called from any thread.
     */
    boolean serves(ApiKeys api, short version, String listenerName);

    /**
     * Takes one request. Called on the connection's event loop, so it must not block; the frame's buffers are valid until it
     * returns. It never throws: whatever goes wrong is answered through {@code responder}.
     */
    void dispatch(RequestFrame request, Connection connection, Responder responder);

    /** Transactions that the resource adapter's applications take part in; after {@link #close} its questions fail. */
    TransactionBranches branches();

    /** A connection is gone; called once for each connection that had a request dispatched, on its event loop. */
    void onConnectionClosed(Connection connection);

    /** Every socket is open: the broker may be told of to clients. Called once, by the thread that opened them; may block (bounded). */
    default void onOpen() {}

    /** A socket cannot be opened: the broker does not come to serve, and {@link #close} follows. */
    default void onCannotOpen(Exception cause) {}

    /**
     * The sockets are about to be closed: others may be asked to take over what this broker does while they still reach it. Called once,
     * by the thread that closes; may block (bounded).
     */
    void leave();

    /** Stops the broker: called once, after the sockets are closed and before the log is. May block (bounded). */
    void close();
}
