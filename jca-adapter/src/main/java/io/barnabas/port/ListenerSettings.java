package io.barnabas.port;

import java.util.List;

/**
 * The sockets and their bounds.
 *
 * @param eventLoopThreads threads that serve connections ({@code num.network.threads})
 * @param socketRequestMaxBytes largest request frame ({@code socket.request.max.bytes})
 * @param connectionsMaxIdleMs a connection without traffic for so long is closed ({@code connections.max.idle.ms}); -1 means never
 * @param maxConnections bound over all listeners ({@code max.connections})
 * @param maxConnectionsPerIp bound per address ({@code max.connections.per.ip})
 * @param socketSendBufferBytes {@code socket.send.buffer.bytes}; -1 leaves the system's
 * @param socketReceiveBufferBytes {@code socket.receive.buffer.bytes}; -1 leaves the system's
 * @param backlog {@code socket.listen.backlog.size}
 * @param maxInFlightRequests requests of one connection that may be unanswered before it is read no further
 * @param queuedMaxBytes bytes of request frames, and of records that waiting requests keep, held in memory over all connections
 *     ({@code queued.max.request.bytes}); -1 means a quarter of the direct memory
 */
public record ListenerSettings(
        List<Listener> listeners,
        int eventLoopThreads,
        int socketRequestMaxBytes,
        long connectionsMaxIdleMs,
        int maxConnections,
        int maxConnectionsPerIp,
        int socketSendBufferBytes,
        int socketReceiveBufferBytes,
        int backlog,
        int maxInFlightRequests,
        long queuedMaxBytes) {

    /**
     * One listening socket.
     *
     * @param name as in {@code listeners}
     * @param host address to bind; empty means every address
     * @param port 0 lets the system choose: {@link BrokerPort#boundPort} tells which
     * @param ofCluster whether only nodes of the cluster are let in, by {@link BrokerPort#secure the cluster's key}
     */
    public record Listener(String name, String host, int port, boolean ofCluster) {
        /** A socket for whoever comes. */
        public Listener(String name, String host, int port) {
            this(name, host, port, false);
        }
    }
}
