package io.barnabas.port;

/** Opens connections to other brokers of the cluster, on the resource adapter's event loops. Safe from any thread. */
public interface PeerConnector {
    /**
     * Begins to connect; returns at once. What is sent before the connection stands waits for it.
     *
     * @param host of the other's inter-broker listener
     * @param clientId this broker's name in the headers of its requests
     * @throws IllegalStateException if the broker has stopped
     */
    PeerConnection connect(String host, int port, String clientId);
}
