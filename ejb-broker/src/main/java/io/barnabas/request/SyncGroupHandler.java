package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** SyncGroup 0–5: the answer waits until the leader's assignment is in the log. */
public final class SyncGroupHandler implements ApiHandler<SyncGroupRequestData> {
    /** KIP-559: from here on protocol type and name must be said. */
    private static final int PROTOCOL_REQUIRED_VERSION = 5;

    private final GroupCoordinator groups;

    public SyncGroupHandler(GroupCoordinator groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.SYNC_GROUP;
    }

    @Override
    public void handle(SyncGroupRequestData request, RequestContext context, Responder responder) {
        boolean incomplete = request.protocolType() == null || request.protocolName() == null;
        if (context.version() >= PROTOCOL_REQUIRED_VERSION && incomplete) {
            responder.respond(new SyncGroupResponseData().setErrorCode(Errors.INCONSISTENT_GROUP_PROTOCOL.code()));
            return;
        }
        GroupResponses.respond(groups.sync(request), context, responder);
    }
}
