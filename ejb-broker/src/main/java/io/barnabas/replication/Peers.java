package io.barnabas.replication;

import io.barnabas.port.PeerConnection;
import org.jspecify.annotations.Nullable;

/** The other brokers, by id. Safe from any thread. */
@FunctionalInterface
public interface Peers {
    /**
     * Begins to connect to a broker's inter-broker listener.
     *
     * @return null if the metadata do not say where that is
     */
    @Nullable
    PeerConnection connect(int brokerId);
}
