package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;

/** DeleteGroups 0–3: groups without members, with their offsets. */
public final class DeleteGroupsHandler implements ApiHandler<DeleteGroupsRequestData> {
    private final GroupCoordinator groups;

    public DeleteGroupsHandler(GroupCoordinator groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_GROUPS;
    }

    @Override
    public void handle(DeleteGroupsRequestData request, RequestContext context, Responder responder) {
        List<String> distinct = request.groupsNames().stream().distinct().toList();
        GroupResponses.respond(groups.delete(distinct).thenApply(DeleteGroupsHandler::response), context, responder);
    }

    private static DeleteGroupsResponseData response(List<DeletableGroupResult> results) {
        DeletableGroupResultCollection collection = new DeletableGroupResultCollection(results.size());
        results.forEach(collection::add);
        return new DeleteGroupsResponseData().setResults(collection);
    }
}
