package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.metadata.Metadata;
import java.util.List;

/** The handlers of classic groups and their offsets, for the composition root. */
public final class GroupHandlers {
    private GroupHandlers() {}

    /**
     * All of them.
     *
     * @param creation makes the offsets topic when it is first asked for
     */
    public static List<ApiHandler<?>> all(GroupCoordinator groups, Metadata metadata, AutoTopicCreation creation) {
        return List.of(
                new FindCoordinatorHandler(groups, metadata, creation),
                new OffsetCommitHandler(groups, metadata),
                new OffsetFetchHandler(groups, metadata),
                new JoinGroupHandler(groups),
                new HeartbeatHandler(groups),
                new LeaveGroupHandler(groups),
                new SyncGroupHandler(groups),
                new DescribeGroupsHandler(groups),
                new ListGroupsHandler(groups),
                new DeleteGroupsHandler(groups),
                new OffsetDeleteHandler(groups, metadata));
    }
}
