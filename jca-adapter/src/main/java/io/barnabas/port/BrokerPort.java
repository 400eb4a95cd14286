package io.barnabas.port;

import io.barnabas.log.LogManager;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.io.IOException;
import java.util.concurrent.Executor;

/** What the resource adapter offers the broker: time, threads that may touch files, the log, and the sockets. Safe from any thread. */
public interface BrokerPort {
    Clock clock();

    Ticker ticker();

    /** A small pool of the resource adapter's threads for work that may block or touch files; never interrupted. */
    Executor workers();

    /**
     * The resource adapter's threads for what clients have looked up in the logs, apart from {@link #workers}, which must stay free for
     * the broker itself; never interrupted. Few, and so are the tasks that may wait: beyond that {@code execute} throws
     * {@link java.util.concurrent.RejectedExecutionException}.
     */
    Executor scans();

    /**
     * Opens the data directories and recovers every log in them. Called once.
     *
     * @throws IOException if no directory can be used, or one is in use by another process; the message says which and what to do
     */
    LogManager openLogs(LogManagerSettings settings) throws IOException;

    /** The port that the listener of this name is bound to; -1 before it is open. */
    int boundPort(String listenerName);

    /**
     * Has connections to other brokers, and those that come in on listeners {@linkplain ListenerSettings.Listener#ofCluster of the
     * cluster}, secured with TLS. Called at most once, before the first of them.
     *
     * @throws IOException if the key cannot be used
     */
    void secure(ClusterKey key) throws IOException;

    /** Connections to other brokers; usable from the start on, before the sockets are open, until {@link RequestDispatcher#close} returns. */
    PeerConnector peers();

    /** Whether the broker is to stop: a start that waits for others gives up then. */
    default boolean closing() {
        return false;
    }

    /** Clients that are connected now, for metrics and the console. */
    int openConnections();
}
