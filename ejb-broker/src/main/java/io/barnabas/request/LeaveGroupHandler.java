package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/** LeaveGroup 0–5; up to version 2 one member leaves, and its error is the request's. */
public final class LeaveGroupHandler implements ApiHandler<LeaveGroupRequestData> {
    private static final int SEVERAL_MEMBERS_VERSION = 3;

    private final GroupCoordinator groups;

    public LeaveGroupHandler(GroupCoordinator groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LEAVE_GROUP;
    }

    @Override
    public void handle(LeaveGroupRequestData request, RequestContext context, Responder responder) {
        if (context.version() >= SEVERAL_MEMBERS_VERSION) {
            GroupResponses.respond(groups.leave(request), context, responder);
            return;
        }
        LeaveGroupRequestData one = new LeaveGroupRequestData()
                .setGroupId(request.groupId())
                .setMembers(List.of(new MemberIdentity().setMemberId(request.memberId())));
        GroupResponses.respond(groups.leave(one).thenApply(LeaveGroupHandler::flat), context, responder);
    }

    private static LeaveGroupResponseData flat(LeaveGroupResponseData answer) {
        short error = answer.members().isEmpty()
                ? answer.errorCode()
                : answer.members().get(0).errorCode();
        return new LeaveGroupResponseData().setErrorCode(error);
    }
}
