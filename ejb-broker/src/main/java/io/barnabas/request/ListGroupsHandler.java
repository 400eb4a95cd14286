package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/** ListGroups 0–5: by state from version 4 on (KIP-518), by type from version 5 on (KIP-848). */
public final class ListGroupsHandler implements ApiHandler<ListGroupsRequestData> {
    private final GroupCoordinator groups;

    public ListGroupsHandler(GroupCoordinator groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_GROUPS;
    }

    @Override
    public void handle(ListGroupsRequestData request, RequestContext context, Responder responder) {
        GroupResponses.respond(
                groups.list(request.statesFilter(), request.typesFilter())
                        .thenApply(listed -> new ListGroupsResponseData().setGroups(listed)),
                context,
                responder);
    }
}
