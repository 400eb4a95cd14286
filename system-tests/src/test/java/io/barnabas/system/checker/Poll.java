package io.barnabas.system.checker;

import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * One call of poll.
 *
 * @param endNs when it returned
 * @param repositioned partitions whose position was set anew since the poll before, by a rebalance or a seek: what is read of them need
 *     not follow what was read before
 * @param reads in the order in which they were handed over
 */
public record Poll(long endNs, Set<TopicPartition> repositioned, List<Read> reads) {
    public Poll {
        repositioned = Set.copyOf(repositioned);
        reads = List.copyOf(reads);
    }
}
