package io.barnabas.system.checker;

import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** Offsets that a group asked to be remembered, alone or as a part of a transaction. */
public record OffsetCommit(String group, Map<TopicPartition, Long> offsets) {
    public OffsetCommit {
        offsets = Map.copyOf(offsets);
    }
}
