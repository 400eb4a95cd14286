package io.barnabas.peer;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.metadata.BrokerProbe;
import io.barnabas.metadata.Metadata;
import io.barnabas.port.PeerConnector;
import io.barnabas.time.Clock;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * This broker's connections to the others, by broker and {@link Lane}: made when they are first needed, at the address that the image
 * names, and again when they have failed, after a rest. Whoever asks decides whether to ask again. What is asked of a broker as the leader of
 * partitions fails when the broker is fenced. Before it: the controller channel, the
 * writers of markers. After it: {@link PeerConnector}. Safe from any thread.
 */
public final class BrokerLinks implements AutoCloseable {
    private final PeerConnector connector;
    private final Metadata metadata;
    private final @Nullable String listener;
    private final Identity identity;
    private final Clock clock;
    private final Map<Key, BrokerLink> links = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /** @param listener the listener that brokers have for each other; null if this one is alone and asks nobody */
    public BrokerLinks(
            PeerConnector connector, Metadata metadata, @Nullable String listener, Identity identity, Clock clock) {
        this.connector = connector;
        this.metadata = metadata;
        this.listener = listener;
        this.identity = identity;
        this.clock = clock;
        metadata.onChange((change, image) -> change.brokers().forEach(id -> onBroker(id, image.broker(id))));
    }

    /** A broker that is out of service leads nothing: who waits for it has to ask another. */
    private void onBroker(int id, Optional<BrokerImage> broker) {
        if (broker.isEmpty() || broker.get().fenced()) {
            drop(id, Lane.JOINS);
            drop(id, Lane.MARKERS);
        }
    }

    /**
     * Who this broker is to the others.
     *
     * @param clientId in the headers of its requests
     */
    public record Identity(int nodeId, String clientId) {
        /** As Kafka names its brokers. */
        public static Identity of(int nodeId) {
            return new Identity(nodeId, "broker-" + nodeId);
        }
    }

    private record Key(int broker, Lane lane) {}

    /**
     * Asks another broker, once, in the latest stable version of the API.
     *
     * @param timeoutMs the connection is closed if there is no answer by then
     * @return the answer, valid for ever; fails with a {@link DisconnectException}, at once if there is no address or the connection has
     *     failed shortly before, or with a {@link org.apache.kafka.common.errors.TimeoutException}. Completed on the connection's event loop
     */
    public CompletableFuture<ApiMessage> send(int broker, Lane lane, ApiMessage request, int timeoutMs) {
        Optional<Endpoint> endpoint = endpoint(broker);
        if (endpoint.isEmpty() || closed) {
            return CompletableFuture.failedFuture(new DisconnectException("no address is known of broker " + broker));
        }
        BrokerLink link = links.computeIfAbsent(
                new Key(broker, lane), key -> new BrokerLink(connector, identity.clientId(), clock));
        CompletableFuture<ApiMessage> answer = link.send(endpoint.get(), request, timeoutMs);
        if (closed) {
            link.close();
        }
        return answer;
    }

    /** What looks whether another broker is there, beside these connections. */
    public BrokerProbe probe() {
        return new ConnectingProbe(connector, this, identity.clientId());
    }

    /** Where the others reach a broker. */
    Optional<Endpoint> endpoint(int broker) {
        return metadata.image().broker(broker).flatMap(this::endpoint);
    }

    private Optional<Endpoint> endpoint(BrokerImage broker) {
        return broker.endpoints().stream()
                .filter(endpoint -> Objects.equals(endpoint.listener(), listener) && endpoint.port() != 0)
                .findFirst();
    }

    int nodeId() {
        return identity.nodeId();
    }

    /** Gives a connection up: what waits on it fails. */
    void drop(int broker, Lane lane) {
        @Nullable BrokerLink link = links.remove(new Key(broker, lane));
        if (link != null) {
            link.close();
        }
    }

    /** Closes every connection; what waits fails, and so does what comes later. Idempotent. */
    @Override
    public void close() {
        closed = true;
        links.values().forEach(BrokerLink::close);
    }
}
