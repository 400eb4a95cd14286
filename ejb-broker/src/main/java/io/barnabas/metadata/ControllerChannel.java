package io.barnabas.metadata;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * This broker's way to the controller, whichever node that is at the time (the broker-to-controller channel of KIP-500 and KIP-590):
 * a call if it is this one, else a request over the inter-broker listener. Safe from any thread.
 */
public interface ControllerChannel {
    /**
     * Sends a request, again and again while there is no controller to be reached or it answers NOT_CONTROLLER, until the time is
     * over. A request may so be carried out twice: it compares epochs or versions, or may be repeated.
     *
     * @param request in the latest stable version of its API
     * @return the answer's body, whose errors are the caller's to look at; fails with
     *     {@link org.apache.kafka.common.errors.TimeoutException}. Completed on a thread that must not be blocked
     */
    CompletableFuture<ApiMessage> send(ApiMessage request, int timeoutMs);
}
