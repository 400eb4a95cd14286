package io.barnabas.coordinator.transaction;

import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * A transactional id at a moment, for administration.
 *
 * @param transaction the identity of its present or last transaction
 * @param state as Kafka names it, but {@link #PREPARED} for a transaction that waits for its end without limit
 * @param timeoutMs longest duration of a transaction; {@link Integer#MAX_VALUE} for none
 * @param isOpen whether a transaction is open or ending
 * @param startTimestampMs of the present or last transaction, or -1
 * @param lastUpdateTimestampMs of the state
 */
public record TransactionPicture(
        String transactionalId,
        ProducerIdentity transaction,
        String state,
        Set<TopicPartition> partitions,
        int timeoutMs,
        boolean isOpen,
        long startTimestampMs,
        long lastUpdateTimestampMs) {
    /** The state of a transaction that is prepared; Kafka's protocol says Ongoing. */
    public static final String PREPARED = "Prepared";

    static TransactionPicture of(String transactionalId, TransactionMetadata metadata) {
        return new TransactionPicture(
                transactionalId,
                metadata.ofTransaction(),
                stateOf(metadata),
                metadata.partitions(),
                metadata.timeoutMs(),
                !metadata.state().isIdle(),
                metadata.startTimestampMs(),
                metadata.lastUpdateTimestampMs());
    }

    static String stateOf(TransactionMetadata metadata) {
        return metadata.isPrepared() ? PREPARED : metadata.state().title();
    }

    /** Whether nothing but a decision ends it. */
    public boolean isPrepared() {
        return state.equals(PREPARED);
    }
}
