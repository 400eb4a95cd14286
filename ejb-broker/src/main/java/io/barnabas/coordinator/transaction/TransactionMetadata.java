package io.barnabas.coordinator.transaction;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * What the log has of one transactional id. Immutable: each transition makes the next value, which goes through the log before it counts.
 *
 * @param previousProducerId the producer id before the last transition
 * @param nextProducerId while the transaction ends: the id that follows, as the epochs of this one are used up; else -1
 * @param producerEpoch -1 before the first initialisation
 * @param timeoutMs longest duration of a transaction; {@link Integer#MAX_VALUE} for none
 * @param startTimestampMs of the present or last transaction, or -1
 * @param clientVersion transaction version that the client used last (KIP-890)
 */
record TransactionMetadata(
        long producerId,
        long previousProducerId,
        long nextProducerId,
        short producerEpoch,
        int timeoutMs,
        TransactionState state,
        Set<TopicPartition> partitions,
        long startTimestampMs,
        long lastUpdateTimestampMs,
        short clientVersion) {
    static final long NO_PRODUCER_ID = -1;
    static final short NO_EPOCH = -1;
    /** From this transaction version on each transaction ends with a new epoch (TV2). */
    static final short EPOCH_BUMP_VERSION = 2;

    TransactionMetadata {
        partitions = Collections.unmodifiableSet(new LinkedHashSet<>(partitions));
    }

    /** A transactional id that is new. */
    static TransactionMetadata fresh(long producerId, int timeoutMs, long nowMs) {
        return new TransactionMetadata(
                producerId, -1, -1, NO_EPOCH, timeoutMs, TransactionState.EMPTY, Set.of(), -1, nowMs, (short) 0);
    }

    /** The greatest epoch is left to the coordinator, so that it can always fence. */
    static boolean isExhausted(short epoch) {
        return epoch >= Short.MAX_VALUE - 1;
    }

    boolean isExhausted() {
        return isExhausted(producerEpoch);
    }

    boolean hasTimeout() {
        return timeoutMs != Integer.MAX_VALUE;
    }

    /** InitProducerId: the producer begins with this id and epoch. */
    TransactionMetadata initialised(ProducerIdentity producer, int newTimeoutMs, long nowMs) {
        Draft next = new Draft(TransactionState.EMPTY, nowMs);
        next.producer = producer;
        next.timeoutMs = newTimeoutMs;
        next.partitions = Set.of();
        next.startMs = -1;
        return next.metadata();
    }

    /** Partitions join the transaction, which begins if none is open. */
    TransactionMetadata joined(Collection<TopicPartition> added, short version, long nowMs) {
        Draft next = new Draft(TransactionState.ONGOING, nowMs);
        if (state.isIdle()) {
            next.startMs = nowMs;
        }
        Set<TopicPartition> all = new LinkedHashSet<>(partitions);
        all.addAll(added);
        next.partitions = all;
        next.version = version;
        return next.metadata();
    }

    /**
     * The end is decided.
     *
     * @param epoch of the markers
     * @param followingId the producer id afterwards, or -1 for the present one
     */
    TransactionMetadata ending(boolean commit, short epoch, long followingId, short version, long nowMs) {
        Draft next = new Draft(commit ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT, nowMs);
        next.producer = new ProducerIdentity(producerId, epoch);
        next.nextProducerId = followingId;
        next.version = version;
        if (state.isIdle()) {
            next.startMs = nowMs; // an abort of what may never have begun
        }
        return next.metadata();
    }

    /** The markers are written. */
    TransactionMetadata ended(long nowMs) {
        boolean committed = state == TransactionState.PREPARE_COMMIT;
        Draft next = new Draft(committed ? TransactionState.COMPLETE_COMMIT : TransactionState.COMPLETE_ABORT, nowMs);
        if (clientVersion >= EPOCH_BUMP_VERSION && nextProducerId != NO_PRODUCER_ID) {
            next.producer = new ProducerIdentity(nextProducerId, (short) 0);
        }
        next.nextProducerId = NO_PRODUCER_ID;
        next.partitions = Set.of();
        return next.metadata();
    }

    /** The next value while it is made: what is not said stays. */
    private final class Draft {
        private final TransactionState to;
        private final long nowMs;
        private ProducerIdentity producer = new ProducerIdentity(producerId, producerEpoch);
        private long nextProducerId = TransactionMetadata.this.nextProducerId;
        private int timeoutMs = TransactionMetadata.this.timeoutMs;
        private Set<TopicPartition> partitions = TransactionMetadata.this.partitions;
        private long startMs = startTimestampMs;
        private short version = clientVersion;

        Draft(TransactionState to, long nowMs) {
            if (!state.canTransitionTo(to)) {
                throw new IllegalStateException("a transaction cannot go from " + state + " to " + to);
            }
            this.to = to;
            this.nowMs = nowMs;
        }

        TransactionMetadata metadata() {
            return new TransactionMetadata(
                    producer.id(),
                    producerId,
                    nextProducerId,
                    producer.epoch(),
                    timeoutMs,
                    to,
                    partitions,
                    startMs,
                    nowMs,
                    version);
        }
    }
}
