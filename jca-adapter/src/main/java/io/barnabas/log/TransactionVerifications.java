package io.barnabas.log;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.jspecify.annotations.Nullable;

/**
 * Which producers are about to write to a log in a transaction that is not open in it yet (KIP-890). A guard stands for one question to
 * the transaction's coordinator; a batch that brings it is let in. Every batch and marker of the producer voids it, so that an answer
 * that comes late cannot open a transaction that nobody would end.
 *
 * <p>Remembers the lowest sequence that was asked for, too: a batch with a higher one waits until that has been written.
 *
 * <p>Guarded by the log's lock. In memory alone: after a restart producers ask again.
 */
final class TransactionVerifications {
    private final Map<Long, Entry> entries = new HashMap<>();
    private long lastGuard;

    /** What a producer is about to write. */
    record Question(short epoch, int baseSequence, boolean epochBump) {}

    private static final class Entry {
        final long guard;
        final boolean epochBump;
        final long sinceMs;
        short epoch;
        int lowestSequence;

        Entry(long guard, Question question, long nowMs) {
            this.guard = guard;
            this.epochBump = question.epochBump;
            this.sinceMs = nowMs;
            this.epoch = question.epoch;
            this.lowestSequence = question.baseSequence;
        }
    }

    long begin(long producerId, Question question, long nowMs) {
        Entry entry = entries.get(producerId);
        if (entry == null) {
            entry = new Entry(++lastGuard, question, nowMs);
            entries.put(producerId, entry);
        } else if (question.epoch > entry.epoch) {
            entry.epoch = question.epoch;
            entry.lowestSequence = question.baseSequence;
        } else if (question.epoch == entry.epoch) {
            entry.lowestSequence = Math.min(entry.lowestSequence, question.baseSequence);
        }
        return entry.guard;
    }

    /** @throws InvalidTxnStateException the guard does not stand, or not any more */
    void requireVerified(long producerId, long guard) {
        Entry entry = entries.get(producerId);
        if (entry == null || entry.guard != guard) {
            throw new InvalidTxnStateException(
                    "Producer " + producerId + " wrote to a transaction that the partition is not in");
        }
    }

    /** @throws OutOfOrderSequenceException an earlier batch has to come first */
    void checkSequence(long producerId, int firstSequence, boolean knowsBatches) {
        if (entries.isEmpty()) { // as a rule: a plain producer's batch shall not cost a boxed id
            return;
        }
        @Nullable Entry entry = knowsBatches ? null : entries.get(producerId);
        if (entry
                == null) { // or the batches before say what follows: one of them that comes again must not hold up the
            // next
            return;
        }
        if (entry.epochBump && firstSequence != 0) {
            throw new OutOfOrderSequenceException("Producer " + producerId + " begins a transaction here with sequence "
                    + firstSequence + " instead of 0");
        }
        if (firstSequence > entry.lowestSequence) {
            throw new OutOfOrderSequenceException("Producer " + producerId + " sent sequence " + firstSequence
                    + " while " + entry.lowestSequence + " has yet to be written");
        }
    }

    /** A transactional batch or marker of the producer was appended. */
    void onAppended(long producerId, short epoch, boolean marker) {
        if (entries.isEmpty()) {
            return;
        }
        @Nullable Entry entry = entries.get(producerId);
        boolean ofNextTransaction = entry != null && marker && entry.epochBump && epoch == entry.epoch;
        if (!ofNextTransaction) {
            entries.remove(producerId);
        }
    }

    void expire(long nowMs, long afterMs) {
        entries.values().removeIf(entry -> nowMs - entry.sinceMs >= afterMs);
    }

    void clear() {
        entries.clear();
    }
}
