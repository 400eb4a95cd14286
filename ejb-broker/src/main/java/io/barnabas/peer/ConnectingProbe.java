package io.barnabas.peer;

import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.metadata.BrokerProbe;
import io.barnabas.port.ConnectionRefusedException;
import io.barnabas.port.PeerConnection;
import io.barnabas.port.PeerConnector;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects to a broker's inter-broker listener and asks there what everybody answers, ApiVersions. One connection for each look: a former
 * one, or its rest after a failure, says nothing of the present. Before it: the controller's duties. Safe from any thread.
 */
final class ConnectingProbe implements BrokerProbe {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectingProbe.class);
    private static final int ANSWER_MS = 500;

    private final PeerConnector connector;
    private final BrokerLinks links;
    private final String clientId;

    ConnectingProbe(PeerConnector connector, BrokerLinks links, String clientId) {
        this.connector = connector;
        this.links = links;
        this.clientId = clientId;
    }

    @Override
    public CompletableFuture<Finding> look(int broker) {
        Optional<Endpoint> at = links.endpoint(broker);
        if (at.isEmpty()) {
            return CompletableFuture.completedFuture(Finding.UNKNOWN);
        }
        CompletableFuture<Finding> found = new CompletableFuture<>();
        try {
            PeerConnection connection =
                    connector.connect(at.get().host(), at.get().port(), clientId);
            ApiVersionsRequestData request = new ApiVersionsRequestData()
                    .setClientSoftwareName("barnabas")
                    .setClientSoftwareVersion("probe");
            connection.send(request, ApiKeys.API_VERSIONS.latestVersion(false), ANSWER_MS, new Told(found));
            return found.whenComplete((finding, failure) -> connection.close());
        } catch (IllegalStateException e) { // this broker stops
            return CompletableFuture.completedFuture(Finding.UNKNOWN);
        }
    }

    private record Told(CompletableFuture<Finding> found) implements PeerConnection.Answer {
        @Override
        public void onAnswer(ApiMessage body) {
            found.complete(Finding.THERE);
        }

        @Override
        public void onFailure(RuntimeException cause) {
            LOG.debug("a broker was looked for; outcome={}", cause.toString());
            found.complete(cause instanceof ConnectionRefusedException ? Finding.GONE : Finding.UNKNOWN);
        }
    }
}
