package io.barnabas.log;

/**
 * What a log knows of one producer: its epoch, its last five batches (a client has at most five requests in flight), and its open
 * transaction. Guarded by the log's lock.
 */
final class ProducerState {
    static final int BATCHES_KEPT = 5;

    final long producerId;
    private short epoch = -1;
    private int coordinatorEpoch = -1;
    private long lastTimestamp = -1;
    private long transactionFirstOffset = -1;
    // a ring of the last batches
    private final int[] lastSequences = new int[BATCHES_KEPT];
    private final long[] lastOffsets = new long[BATCHES_KEPT];
    private final int[] offsetDeltas = new int[BATCHES_KEPT];
    private final long[] timestamps = new long[BATCHES_KEPT];
    private int oldest;
    private int batches;

    ProducerState(long producerId) {
        this.producerId = producerId;
    }

    /** From a snapshot, which keeps the last batch only. */
    static ProducerState restored(ProducerSnapshot.Entry entry) {
        ProducerState state = new ProducerState(entry.producerId());
        state.epoch = entry.epoch();
        state.coordinatorEpoch = entry.coordinatorEpoch();
        state.lastTimestamp = entry.timestamp();
        state.transactionFirstOffset = entry.transactionFirstOffset();
        if (entry.lastOffset() >= 0) {
            state.add(entry.lastSequence(), entry.lastOffset(), entry.offsetDelta(), entry.timestamp());
        }
        return state;
    }

    /** As it would be if the log ended at {@code offset}, as far as that is known: later epochs are kept. */
    ProducerState before(long offset) {
        ProducerState state = new ProducerState(producerId);
        state.epoch = epoch;
        state.coordinatorEpoch = coordinatorEpoch;
        state.lastTimestamp = lastTimestamp;
        state.transactionFirstOffset = transactionFirstOffset < offset ? transactionFirstOffset : -1;
        for (int i = 0; i < batches; i++) {
            int slot = (oldest + i) % BATCHES_KEPT;
            if (lastOffsets[slot] < offset) {
                state.add(lastSequences[slot], lastOffsets[slot], offsetDeltas[slot], timestamps[slot]);
            }
        }
        return state;
    }

    ProducerSnapshot.Entry toSnapshot() {
        return new ProducerSnapshot.Entry(
                producerId,
                epoch,
                lastSequence(),
                batches == 0 ? -1 : lastOffsets[newest()],
                batches == 0 ? 0 : offsetDeltas[newest()],
                lastTimestamp,
                coordinatorEpoch,
                transactionFirstOffset);
    }

    /** The slot of a kept batch with exactly these sequences, or -1: a retry of a batch that was appended. */
    int duplicateOf(short batchEpoch, int firstSequence, int lastSequence) {
        if (batchEpoch == epoch) {
            for (int i = 0; i < batches; i++) {
                int slot = (oldest + i) % BATCHES_KEPT;
                if (lastSequences[slot] == lastSequence && firstSequence(slot) == firstSequence) {
                    return slot;
                }
            }
        }
        return -1;
    }

    long firstOffset(int slot) {
        return lastOffsets[slot] - offsetDeltas[slot];
    }

    long lastOffset(int slot) {
        return lastOffsets[slot];
    }

    long timestamp(int slot) {
        return timestamps[slot];
    }

    private int firstSequence(int slot) {
        int last = lastSequences[slot];
        int delta = offsetDeltas[slot];
        return last >= delta ? last - delta : Integer.MAX_VALUE - (delta - last) + 1;
    }

    void onBatch(short batchEpoch, int lastSequence, long lastOffset, int offsetDelta, long timestamp) {
        toEpoch(batchEpoch);
        add(lastSequence, lastOffset, offsetDelta, timestamp);
        lastTimestamp = timestamp;
    }

    /** A batch before the newest one, which alone a snapshot keeps: told in the order of the log. */
    void recall(int lastSequence, long lastOffset, int offsetDelta, long timestamp) {
        if (batches == 0 || lastOffset >= lastOffsets[newest()]) {
            return;
        }
        int last = newest();
        int sequence = lastSequences[last];
        long offset = lastOffsets[last];
        int delta = offsetDeltas[last];
        long time = timestamps[last];
        batches--;
        add(lastSequence, lastOffset, offsetDelta, timestamp);
        add(sequence, offset, delta, time);
    }

    /** A transaction's marker: ends the transaction. */
    void onMarker(short markerEpoch, int markerCoordinatorEpoch, long timestamp) {
        toEpoch(markerEpoch);
        coordinatorEpoch = markerCoordinatorEpoch;
        transactionFirstOffset = -1;
        lastTimestamp = timestamp;
    }

    void beginTransaction(long firstOffset) {
        transactionFirstOffset = firstOffset;
    }

    private void toEpoch(short newEpoch) {
        if (epoch != newEpoch) {
            batches = 0;
            oldest = 0;
            epoch = newEpoch;
        }
    }

    private void add(int lastSequence, long lastOffset, int offsetDelta, long timestamp) {
        int slot = (oldest + batches) % BATCHES_KEPT;
        if (batches == BATCHES_KEPT) {
            oldest = (oldest + 1) % BATCHES_KEPT;
        } else {
            batches++;
        }
        lastSequences[slot] = lastSequence;
        lastOffsets[slot] = lastOffset;
        offsetDeltas[slot] = offsetDelta;
        timestamps[slot] = timestamp;
    }

    private int newest() {
        return (oldest + batches - 1) % BATCHES_KEPT;
    }

    boolean hasBatches() {
        return batches > 0;
    }

    short epoch() {
        return epoch;
    }

    /** Sequence of the last record, or -1. */
    int lastSequence() {
        return batches == 0 ? -1 : lastSequences[newest()];
    }

    /** Offset of the last data record, or -1. */
    long lastDataOffset() {
        return batches == 0 ? -1 : lastOffsets[newest()];
    }

    int coordinatorEpoch() {
        return coordinatorEpoch;
    }

    long lastTimestamp() {
        return lastTimestamp;
    }

    /** First offset of the open transaction, or -1. */
    long transactionFirstOffset() {
        return transactionFirstOffset;
    }
}
