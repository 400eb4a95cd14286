package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/** JoinGroup 0–9: the answer waits until the group's next generation is made. */
public final class JoinGroupHandler implements ApiHandler<JoinGroupRequestData> {
    /** From here on no protocol is null; before, it is empty. */
    private static final int NULLABLE_PROTOCOL_VERSION = 7;

    private final GroupCoordinator groups;

    public JoinGroupHandler(GroupCoordinator groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.JOIN_GROUP;
    }

    @Override
    public void handle(JoinGroupRequestData request, RequestContext context, Responder responder) {
        short version = context.version();
        GroupResponses.respond(
                groups.join(GroupResponses.client(context), request).thenApply(answer -> fit(answer, version)),
                context,
                responder);
    }

    private static JoinGroupResponseData fit(JoinGroupResponseData answer, short version) {
        if (version < NULLABLE_PROTOCOL_VERSION && answer.protocolName() == null) {
            answer.setProtocolName("");
        } else if (version >= NULLABLE_PROTOCOL_VERSION && "".equals(answer.protocolName())) {
            answer.setProtocolName(null);
        }
        return answer;
    }
}
