package io.barnabas.request;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** The handlers of metadata and administration, for the registry. */
public final class ControlHandlers {
    private ControlHandlers() {}

    /**
     * All of them, over one control plane.
     *
     * @param silent brokers of which nothing is heard here: clients are not sent there
     */
    public static List<ApiHandler<?>> of(
            ControlPlane plane, AutoTopicCreation creation, Supplier<Set<Integer>> silent) {
        BrokerLoggers loggers = new BrokerLoggers();
        List<ApiHandler<?>> handlers = new ArrayList<>(List.of(
                new MetadataHandler(plane, creation, silent),
                new DescribeTopicPartitionsHandler(plane, silent),
                new DescribeClusterHandler(plane),
                new DescribeConfigsHandler(plane, loggers),
                new AlterConfigsHandler(plane),
                new IncrementalAlterConfigsHandler(plane, loggers),
                new ListConfigResourcesHandler(plane)));
        handlers.addAll(TopicHandlers.of(plane));
        handlers.addAll(PartitionHandlers.of(plane));
        handlers.addAll(ClusterHandlers.of(plane));
        handlers.addAll(VoterHandlers.of(plane));
        return handlers;
    }
}
