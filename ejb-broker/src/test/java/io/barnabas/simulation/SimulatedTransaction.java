package io.barnabas.simulation;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** What a producer did in one transaction, and what it knows of its end. */
final class SimulatedTransaction {
    /** What the producer was told. */
    enum Fate {
        OPEN,
        COMMITTED,
        ABORTED,
        /** Asked to commit, and told nothing for certain. */
        UNKNOWN
    }

    final String transactionalId;
    final int number;
    final Map<String, TopicPartition> values = new LinkedHashMap<>();
    boolean committedOffset;
    boolean askedToCommit;
    Fate fate = Fate.OPEN;

    SimulatedTransaction(String transactionalId, int number) {
        this.transactionalId = transactionalId;
        this.number = number;
    }

    boolean isEmpty() {
        return values.isEmpty() && !committedOffset;
    }

    /** Its producer is no more, or was told that it may not go on. */
    void given() {
        if (fate == Fate.OPEN) {
            fate = askedToCommit ? Fate.UNKNOWN : Fate.ABORTED;
        }
    }

    @Override
    public String toString() {
        return transactionalId + "#" + number + " " + fate + " " + values;
    }
}
