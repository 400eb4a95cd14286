package io.barnabas.request;

import io.barnabas.coordinator.transaction.Enlistment;
import java.util.List;

/** The handlers of the data path, for the composition root. */
public final class DataHandlers {
    private DataHandlers() {}

    /**
     * All of them.
     *
     * @param fetch made by the caller, who tells it of closed connections
     * @param enlistment asks whether a partition is part of a transaction
     */
    public static List<ApiHandler<?>> all(DataPath path, FetchHandler fetch, Enlistment enlistment) {
        return List.of(
                new ProduceHandler(path, enlistment),
                fetch,
                new ListOffsetsHandler(path),
                new OffsetForLeaderEpochHandler(path),
                new DeleteRecordsHandler(path),
                new DescribeLogDirsHandler(path),
                new AlterReplicaLogDirsHandler(path),
                new DescribeProducersHandler(path));
    }
}
