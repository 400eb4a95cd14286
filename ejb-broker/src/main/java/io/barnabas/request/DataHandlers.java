package io.barnabas.request;

import java.util.List;

/** The handlers of the data path, for the composition root. */
public final class DataHandlers {
    private DataHandlers() {}

    /**
     * All of them.
     *
     * @param fetch made by the caller, who tells it of closed connections
     */
    public static List<ApiHandler<?>> all(DataPath path, FetchHandler fetch) {
        return List.of(
                new ProduceHandler(path),
                fetch,
                new ListOffsetsHandler(path),
                new OffsetForLeaderEpochHandler(path),
                new DeleteRecordsHandler(path),
                new DescribeLogDirsHandler(path),
                new AlterReplicaLogDirsHandler(path),
                new DescribeProducersHandler(path));
    }
}
