package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** ConsumerGroupHeartbeat 0–1 (KIP-848): members make their ids themselves from version 1 on (KIP-1082). */
public final class ConsumerGroupHeartbeatHandler implements ApiHandler<ConsumerGroupHeartbeatRequestData> {
    private final GroupCoordinator groups;
    private final BooleanSupplier enabled;

    /** @param enabled whether the protocol is served: else it is answered UNSUPPORTED_VERSION, though it is reported */
    public ConsumerGroupHeartbeatHandler(GroupCoordinator groups, BooleanSupplier enabled) {
        this.groups = groups;
        this.enabled = enabled;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.CONSUMER_GROUP_HEARTBEAT;
    }

    @Override
    public void handle(ConsumerGroupHeartbeatRequestData request, RequestContext context, Responder responder) {
        if (!enabled.getAsBoolean()) {
            throw Errors.UNSUPPORTED_VERSION.exception();
        }
        GroupResponses.respond(groups.consumerHeartbeat(GroupResponses.client(context), request), context, responder);
    }
}
