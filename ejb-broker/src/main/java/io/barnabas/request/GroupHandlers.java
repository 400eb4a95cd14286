package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.metadata.Metadata;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The handlers of classic and consumer groups and their offsets, for the composition root. */
public final class GroupHandlers {
    private GroupHandlers() {}

    /**
     * All of them.
     *
     * @param consumerProtocol whether consumer groups (KIP-848) are served; asked at every request
     */
    public static List<ApiHandler<?>> all(
            GroupCoordinator groups, Metadata metadata, BooleanSupplier consumerProtocol) {
        return List.of(
                new OffsetCommitHandler(groups, metadata),
                new OffsetFetchHandler(groups, metadata),
                new JoinGroupHandler(groups),
                new HeartbeatHandler(groups),
                new LeaveGroupHandler(groups),
                new SyncGroupHandler(groups),
                new DescribeGroupsHandler(groups),
                new ListGroupsHandler(groups),
                new DeleteGroupsHandler(groups),
                new OffsetDeleteHandler(groups, metadata),
                new ConsumerGroupHeartbeatHandler(groups, consumerProtocol),
                new ConsumerGroupDescribeHandler(groups, consumerProtocol));
    }
}
