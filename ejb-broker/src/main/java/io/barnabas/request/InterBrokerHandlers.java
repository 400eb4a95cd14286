package io.barnabas.request;

import io.barnabas.metadata.ControllerRequests;
import io.barnabas.port.Connection;
import io.barnabas.port.Responder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntConsumer;
import org.apache.kafka.common.message.AllocateProducerIdsRequestData;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * What brokers ask of the controller, for the inter-broker listener alone: no client may register a broker or say who is in sync. Each
 * request is the controller's as it is; the connection that a broker's heartbeats come by is watched, as its end is the first news of a
 * broker's. Safe from any thread.
 */
public final class InterBrokerHandlers {
    private final ControllerRequests controller;
    private final IntConsumer onDisconnected;
    private final Map<Integer, Connection> heartbeats = new ConcurrentHashMap<>(); // by broker, the latest of each

    private InterBrokerHandlers(ControllerRequests controller, IntConsumer onDisconnected) {
        this.controller = controller;
        this.onDisconnected = onDisconnected;
    }

    /** @param onDisconnected told the broker whose connection is gone */
    public static InterBrokerHandlers of(ControllerRequests controller, IntConsumer onDisconnected) {
        return new InterBrokerHandlers(controller, onDisconnected);
    }

    /** The handlers, for the registry of the inter-broker listener. */
    public List<ApiHandler<?>> all() {
        return List.of(
                new ToController<BrokerRegistrationRequestData>(ApiKeys.BROKER_REGISTRATION),
                new ToController<BrokerHeartbeatRequestData>(ApiKeys.BROKER_HEARTBEAT),
                new ToController<AlterPartitionRequestData>(ApiKeys.ALTER_PARTITION),
                new ToController<AllocateProducerIdsRequestData>(ApiKeys.ALLOCATE_PRODUCER_IDS),
                new ToController<AssignReplicasToDirsRequestData>(ApiKeys.ASSIGN_REPLICAS_TO_DIRS));
    }

    /** A connection of the inter-broker listener is gone. */
    public void onConnectionClosed(Connection connection) {
        heartbeats.forEach((broker, latest) -> {
            if (latest == connection && heartbeats.remove(broker, connection)) {
                onDisconnected.accept(broker);
            }
        });
    }

    private final class ToController<Q extends ApiMessage> implements ApiHandler<Q> {
        private final ApiKeys api;

        ToController(ApiKeys api) {
            this.api = api;
        }

        @Override
        public ApiKeys api() {
            return api;
        }

        @Override
        public boolean interBrokerOnly() {
            return true;
        }

        /** AlterPartition before version 3 does not say which incarnation of a broker is in sync (KIP-903). */
        @Override
        public short lowestVersion() {
            return api == ApiKeys.ALTER_PARTITION ? 3 : api.oldestVersion();
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // the responder is told of the outcome, whatever it is
        public void handle(Q request, RequestContext context, Responder responder) {
            if (request instanceof BrokerHeartbeatRequestData heartbeat) {
                heartbeats.put(heartbeat.brokerId(), context.connection());
            }
            ControlPlane.answer(controller.handle(request), context, responder, body -> body);
        }
    }
}
