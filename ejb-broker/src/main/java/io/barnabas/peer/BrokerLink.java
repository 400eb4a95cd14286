package io.barnabas.peer;

import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.port.PeerConnection;
import io.barnabas.port.PeerConnector;
import io.barnabas.time.Clock;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/** One connection to another broker, made anew when it has failed. Safe from any thread. */
final class BrokerLink {
    private static final long REST_MIN_MS = 20;
    private static final long REST_MAX_MS = 500;

    private final PeerConnector connector;
    private final String clientId;
    private final Clock clock;
    private @Nullable PeerConnection connection; // guarded by this
    private @Nullable Endpoint connectedTo; // guarded by this
    private long notBeforeMs = Long.MIN_VALUE; // guarded by this
    private long restMs = REST_MIN_MS; // guarded by this

    BrokerLink(PeerConnector connector, String clientId, Clock clock) {
        this.connector = connector;
        this.clientId = clientId;
        this.clock = clock;
    }

    CompletableFuture<ApiMessage> send(Endpoint to, ApiMessage request, int timeoutMs) {
        CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
        PeerConnection open;
        try {
            open = open(to);
        } catch (DisconnectException | IllegalStateException e) {
            answer.completeExceptionally(
                    e instanceof DisconnectException ? e : new DisconnectException("the broker stops", e));
            return answer;
        }
        short version = ApiKeys.forId(request.apiKey()).latestVersion(false);
        open.send(request, version, timeoutMs, new PeerConnection.Answer() {
            @Override
            public void onAnswer(ApiMessage body) {
                onAlive();
                answer.complete(kept(body));
            }

            @Override
            public void onFailure(RuntimeException cause) {
                answer.completeExceptionally(cause);
            }
        });
        return answer;
    }

    /** Connects if that has not been tried too shortly before; each failure makes the rest longer. */
    private synchronized PeerConnection open(Endpoint to) {
        PeerConnection present = connection;
        if (present != null && present.isOpen() && to.equals(connectedTo)) {
            return present;
        }
        long now = clock.monotonicMillis();
        if (present != null && !to.equals(connectedTo)) { // the broker has moved
            present.close();
            notBeforeMs = now;
        }
        if (notBeforeMs > now) {
            throw new DisconnectException("no connection to " + to.host() + ":" + to.port());
        }
        PeerConnection opened = connector.connect(to.host(), to.port(), clientId);
        notBeforeMs = now + restMs;
        restMs = Math.min(REST_MAX_MS, restMs * 2);
        connection = opened;
        connectedTo = to;
        return opened;
    }

    private synchronized void onAlive() {
        restMs = REST_MIN_MS;
    }

    /** What is a view of the receive buffer is copied: only envelopes have any. */
    private static ApiMessage kept(ApiMessage body) {
        if (body instanceof EnvelopeResponseData envelope) {
            @Nullable ByteBuffer data = envelope.responseData();
            if (data != null) {
                envelope.setResponseData(ByteBuffer.allocate(data.remaining())
                        .put(data.duplicate())
                        .flip());
            }
        }
        return body;
    }

    synchronized void close() {
        if (connection != null) {
            connection.close();
        }
    }
}
