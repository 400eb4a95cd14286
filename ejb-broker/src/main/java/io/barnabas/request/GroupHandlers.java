package io.barnabas.request;

import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.metadata.Metadata;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;

/** The handlers of classic groups and their offsets, for the composition root. */
public final class GroupHandlers {
    private GroupHandlers() {}

    /**
     * All of them.
     *
     * @param createTopic as {@link FindCoordinatorHandler} needs it
     */
    public static List<ApiHandler<?>> all(
            GroupCoordinator groups,
            Metadata metadata,
            Function<CreatableTopic, ? extends CompletionStage<?>> createTopic) {
        return List.of(
                new FindCoordinatorHandler(groups, metadata, createTopic),
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
