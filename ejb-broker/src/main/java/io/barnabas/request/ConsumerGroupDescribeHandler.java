package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.port.Responder;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/** ConsumerGroupDescribe 0–1 (KIP-848): with the members' protocol from version 1 on (KIP-1099). */
public final class ConsumerGroupDescribeHandler implements ApiHandler<ConsumerGroupDescribeRequestData> {
    private final GroupCoordinator groups;
    private final BooleanSupplier enabled;

    /** @param enabled whether the protocol is served: else it is answered UNSUPPORTED_VERSION, though it is reported */
    public ConsumerGroupDescribeHandler(GroupCoordinator groups, BooleanSupplier enabled) {
        this.groups = groups;
        this.enabled = enabled;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.CONSUMER_GROUP_DESCRIBE;
    }

    @Override
    public void handle(ConsumerGroupDescribeRequestData request, RequestContext context, Responder responder) {
        if (!enabled.getAsBoolean()) {
            throw Errors.UNSUPPORTED_VERSION.exception();
        }
        boolean operations = request.includeAuthorizedOperations();
        List<String> groupIds = request.groupIds().stream().distinct().toList(); // a small request, no large answer
        GroupResponses.respond(
                groups.describeConsumers(groupIds).thenApply(described -> new ConsumerGroupDescribeResponseData()
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
