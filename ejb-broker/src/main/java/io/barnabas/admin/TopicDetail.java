package io.barnabas.admin;

import java.util.List;
import java.util.Map;

/**
 * A topic with its partitions.
 *
 * @param settings what has been set for this topic; nothing of defaults
 */
public record TopicDetail(TopicView topic, List<PartitionView> partitions, Map<String, String> settings) {

    /** One partition; the offsets and the size are of this broker's replica, -1 where it has none. */
    public record PartitionView(
            int partition,
            int leader,
            int leaderEpoch,
            List<Integer> replicas,
            List<Integer> inSync,
            long logStartOffset,
            long highWatermark,
            long lastStableOffset,
            long sizeBytes,
            String directory) {}
}
