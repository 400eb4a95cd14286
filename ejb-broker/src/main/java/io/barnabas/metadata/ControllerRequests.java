package io.barnabas.metadata;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * What brokers ask of the controller, in Kafka's own messages: BrokerRegistration, BrokerHeartbeat, AlterPartition,
 * AllocateProducerIds, AssignReplicasToDirs. Served by the node that is the controller, to itself and over the inter-broker listener.
 * Safe from any thread.
 */
public interface ControllerRequests {
    /**
     * Answers a request, its errors in the answer's own fields, once what it changes is committed.
     *
     * @return never fails: NOT_CONTROLLER, too, is in the answer
     */
    CompletableFuture<ApiMessage> handle(ApiMessage request);
}
