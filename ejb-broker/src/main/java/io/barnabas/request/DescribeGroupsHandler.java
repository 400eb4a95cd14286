package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import java.util.List;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** DescribeGroups 0–6: classic groups; from version 6 on one that is not there is an error (KIP-1043). */
public final class DescribeGroupsHandler implements ApiHandler<DescribeGroupsRequestData> {
    private final GroupCoordinator groups;

    public DescribeGroupsHandler(GroupCoordinator groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_GROUPS;
    }

    @Override
    public void handle(DescribeGroupsRequestData request, RequestContext context, Responder responder) {
        boolean operations = request.includeAuthorizedOperations();
        GroupResponses.respond(
                groups.describe(
                                GroupResponses.client(context),
                                request.groups().stream().distinct().toList())
                        .thenApply(described -> new DescribeGroupsResponseData()
                                .setGroups(operations ? withOperations(described) : described)),
                context,
                responder);
    }

    private static List<DescribedGroup> withOperations(List<DescribedGroup> described) {
        for (DescribedGroup group : described) {
            if (group.errorCode() == Errors.NONE.code()) {
                group.setAuthorizedOperations(AuthorizedOperations.GROUP);
            }
        }
        return described;
    }
}
