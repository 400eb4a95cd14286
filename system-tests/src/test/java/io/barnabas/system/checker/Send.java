package io.barnabas.system.checker;

import java.util.Optional;
import org.apache.kafka.common.TopicPartition;

/**
 * A value on its way into a partition.
 *
 * @param offset where it was acknowledged to be; −1 if that was not told
 * @param outcome of this send alone; within a transaction that one's outcome decides
 * @param source what it was made from, if it is the output of a group that transforms
 */
public record Send(TopicPartition partition, long value, long offset, Outcome outcome, Optional<Source> source) {
    /** A send without a source. */
    public static Send of(TopicPartition partition, long value, long offset, Outcome outcome) {
        return new Send(partition, value, offset, outcome, Optional.empty());
    }
}
