package io.barnabas.request;

import io.barnabas.port.Responder;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Serves one Kafka API in the range of versions it states; {@link HandlerRegistry} lists the handlers, and ApiVersions reports that list.
 *
 * @param <Q> the API's request message
 */
public interface ApiHandler<Q extends ApiMessage> {
    ApiKeys api();

    /** Lowest version that is served fully. */
    default short lowestVersion() {
        return api().oldestVersion();
    }

    /** Highest version that is served fully: unstable ones are not, as a rule. */
    default short highestVersion() {
        return api().latestVersion(false);
    }

    /** Highest version that clients are told of; others above it are served to those who know. */
    default short highestAdvertisedVersion() {
        return highestVersion();
    }

    /** Whether only other brokers are served, over their own listener; clients are not told of it. */
    default boolean interBrokerOnly() {
        return false;
    }

    /** Whether the controller has to answer: elsewhere the request is forwarded whole (KIP-590). */
    default boolean isForwarded() {
        return api().forwardable && !interBrokerOnly();
    }

    /**
     * Answers the request through {@code responder}, now or later. Called on the connection's event loop: it must not block, and buffers
     * of the request are valid until it returns. What it throws is turned into the API's own error response by {@link ErrorResponses}.
     */
    void handle(Q request, RequestContext context, Responder responder);
}
