package io.barnabas.system.checker;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * All that was done and seen.
 *
 * @param operations of all clients; those of one process in their order
 * @param committed each partition as a consumer with read_committed reads it at the end, when no transaction is open
 * @param uncommitted the same with read_uncommitted
 * @param groupOffsets for each group its offsets at the end
 */
public record History(
        List<Operation> operations,
        Map<TopicPartition, List<Read>> committed,
        Map<TopicPartition, List<Read>> uncommitted,
        Map<String, Map<TopicPartition, Long>> groupOffsets) {
    public History {
        operations = List.copyOf(operations);
    }
}
