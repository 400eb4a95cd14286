package io.barnabas.coordinator.transaction;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * What the log has of one transactional id. Immutable: each transition makes the next value, which goes through the log before it counts.
 *
 * <p>As a rule the producer and its transaction have one identity. When an initialisation keeps the open transaction (KIP-939) they part:
 * {@code producerId} and {@code producerEpoch} stay those of the transaction, which its records and its markers carry, and the producer
 * goes on with {@code nextProducerId} and {@code nextProducerEpoch}, which fence who had the transaction before.
 *
 * @param previousProducerId the producer id before the last transition; while and after a kept transaction ends, that of who ended it
 * @param nextProducerId of the producer once the transaction has been kept; or, while a transaction ends, the id that follows as the
 *     epochs of this one are used up; else -1
 * @param nextProducerEpoch goes with {@code nextProducerId}; -1 unless the transaction was kept
 * @param producerEpoch -1 before the first initialisation
 * @param timeoutMs longest duration of a transaction; {@link Integer#MAX_VALUE} for none
 * @param startTimestampMs of the present or last transaction, or -1
 * @param clientVersion transaction version that the client used last (KIP-890)
 */
record TransactionMetadata(
        long producerId,
        long previousProducerId,
        long nextProducerId,
        short nextProducerEpoch,
        short producerEpoch,
        int timeoutMs,
        TransactionState state,
        Set<TopicPartition> partitions,
        long startTimestampMs,
        long lastUpdateTimestampMs,
        short clientVersion) {
    static final long NO_PRODUCER_ID = -1;
    static final short NO_EPOCH = -1;
    /** KIP-939: a transaction of a two-phase commit has no time limit. */
    static final int NO_TIMEOUT = Integer.MAX_VALUE;
    /** From this transaction version on each transaction ends with a new epoch (TV2). */
    static final short EPOCH_BUMP_VERSION = 2;

    TransactionMetadata {
        partitions = Collections.unmodifiableSet(new LinkedHashSet<>(partitions));
    }

    /** A transactional id that is new. */
    static TransactionMetadata fresh(long producerId, int timeoutMs, long nowMs) {
        return new TransactionMetadata(
                producerId, -1, -1, NO_EPOCH, NO_EPOCH, timeoutMs, TransactionState.EMPTY, Set.of(), -1, nowMs, (short)
                        0);
    }

    /** The greatest epoch is left to the coordinator, so that it can always fence. */
    static boolean isExhausted(short epoch) {
        return epoch >= Short.MAX_VALUE - 1;
    }

    boolean isExhausted() {
        return isExhausted(producerEpoch);
    }

    boolean hasTimeout() {
        return timeoutMs != NO_TIMEOUT;
    }

    /**
     * The transaction and its producer have parted (KIP-939): at the coordinator it can only be ended. Partitions that are in it do not
     * ask, and take batches of the former writer until their marker.
     */
    boolean isKept() {
        return nextProducerEpoch != NO_EPOCH;
    }

    /**
     * Kept, and for as long as it takes: no time ends it. A decision does, by {@link PreparedHandler} or by the EndTxn of who kept it, and
     * so does an initialisation of the id that neither keeps nor spares it, which aborts it.
     */
    boolean isPrepared() {
        return state == TransactionState.ONGOING && isKept() && !hasTimeout();
    }

    /** Who may speak for the transactional id. */
    ProducerIdentity producer() {
        return isKept()
                ? new ProducerIdentity(nextProducerId, nextProducerEpoch)
                : new ProducerIdentity(producerId, producerEpoch);
    }

    /** What the records and the markers of the transaction carry. */
    ProducerIdentity ofTransaction() {
        return new ProducerIdentity(producerId, producerEpoch);
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

    /** The open transaction is kept while its producer goes on as somebody else. */
    TransactionMetadata kept(ProducerIdentity producer, int newTimeoutMs, long nowMs) {
        Draft next = new Draft(TransactionState.ONGOING, nowMs);
        next.nextProducer = producer;
        next.timeoutMs = newTimeoutMs;
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
     * @param following the producer afterwards
     */
    TransactionMetadata ending(boolean commit, short epoch, ProducerIdentity following, short version, long nowMs) {
        Draft next = new Draft(commit ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT, nowMs);
        next.producer = new ProducerIdentity(producerId, epoch);
        if (isKept()) {
            next.nextProducer = following;
            next.previousId = nextProducerId;
        } else if (following.id() != producerId) { // with epoch 0, which is not said
            next.nextProducer = new ProducerIdentity(following.id(), NO_EPOCH);
        }
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
        if (isKept()) {
            next.producer = producer();
            next.previousId = previousProducerId;
        } else if (clientVersion >= EPOCH_BUMP_VERSION && nextProducerId != NO_PRODUCER_ID) {
            next.producer = new ProducerIdentity(nextProducerId, (short) 0);
        }
        next.nextProducer = ProducerIdentity.NONE;
        next.partitions = Set.of();
        return next.metadata();
    }

    /** The next value while it is made: what is not said stays. */
    private final class Draft {
        private final TransactionState to;
        private final long nowMs;
        private ProducerIdentity producer = new ProducerIdentity(producerId, producerEpoch);
        private ProducerIdentity nextProducer = new ProducerIdentity(nextProducerId, nextProducerEpoch);
        private long previousId = producerId;
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
                    previousId,
                    nextProducer.id(),
                    nextProducer.epoch(),
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
