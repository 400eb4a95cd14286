package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.TransactionCoordinatorFencedException;
import org.jspecify.annotations.Nullable;

/**
 * The producers of one log: refuses what is out of order, recognises what came before, knows which transactions are open.
 *
 * <p>An append asks {@link #check} before the write and tells {@link #apply} after it; recovery and replication only apply. The state
 * is a function of the log, cut short by snapshots that are taken at rolls and at a clean end.
 *
 * <p>Guarded by the log's lock, except {@link #firstUnstableOffset}.
 */
final class ProducerStates {
    static final long NONE = -1;

    private final TopicPartition partition;
    private final IntSupplier expirationMs; // producer.id.expiration.ms, which may change
    private final Map<Long, ProducerState> producers = new HashMap<>();
    private final TreeMap<Long, Long> ongoing = new TreeMap<>(); // first offset -> producer
    private final TreeMap<Long, Long> unreplicated = new TreeMap<>(); // first offset -> marker's offset
    private final SnapshotFiles snapshots;
    private final TransactionVerifications verifications = new TransactionVerifications();
    private @Nullable ProducerState latest; // the producer of the last batch: often of the next too
    private long endOffset;
    private volatile long firstUnstableOffset = NONE;

    ProducerStates(TopicPartition partition, LogFolder folder, IntSupplier expirationMs) {
        this.partition = partition;
        this.snapshots = new SnapshotFiles(partition, folder);
        this.expirationMs = expirationMs;
    }

    /** First offset of the earliest transaction that is open or whose marker is not yet below the high watermark, or {@link #NONE}. */
    long firstUnstableOffset() {
        return firstUnstableOffset;
    }

    /** The state covers the log below this offset. */
    long endOffset() {
        return endOffset;
    }

    private @Nullable ProducerState find(long producerId) {
        ProducerState near = latest;
        if (near != null && near.producerId == producerId) {
            return near;
        }
        ProducerState found = producers.get(producerId);
        if (found != null) {
            latest = found;
        }
        return found;
    }

    /** The batch that this one repeats, if it is one of the last five of its producer. */
    @Nullable
    Duplicate duplicateOf(ByteBuffer batch, int at) {
        ProducerState state = find(BatchHeader.producerId(batch, at));
        if (state == null) {
            return null;
        }
        int slot = state.duplicateOf(
                BatchHeader.producerEpoch(batch, at),
                BatchHeader.baseSequence(batch, at),
                BatchHeader.lastSequence(batch, at));
        return slot < 0 ? null : new Duplicate(state.firstOffset(slot), state.lastOffset(slot), state.timestamp(slot));
    }

    /** See {@link PartitionLog#beginVerification}. */
    long beginVerification(long producerId, TransactionVerifications.Question question, long nowMs) {
        ProducerState state = find(producerId);
        if (state != null) {
            requireNotFenced(state, question.epoch());
            if (state.transactionFirstOffset() >= 0 && state.epoch() == question.epoch()) {
                return AppendTerms.NO_GUARD;
            }
        }
        return verifications.begin(producerId, question, nowMs);
    }

    /** Refuses a batch that its producer may not append; changes nothing. */
    void check(ByteBuffer batch, int at, AppendOrigin origin, AppendTerms terms) {
        long producerId = BatchHeader.producerId(batch, at);
        ProducerState state = find(producerId);
        short epoch = BatchHeader.producerEpoch(batch, at);
        if (BatchHeader.isControl(batch, at)) {
            if (state != null) {
                checkMarker(state, epoch, TransactionMarker.read(batch, at), terms.transactionVersion());
            }
            return;
        }
        if (state != null) {
            requireNotFenced(state, epoch);
        }
        boolean transactional = BatchHeader.isTransactional(batch, at);
        boolean open = state != null && state.transactionFirstOffset() >= 0;
        boolean goesOn = state != null && open && epoch == state.epoch();
        if (transactional && terms.guard() != AppendTerms.TRUSTED && !goesOn) {
            verifications.requireVerified(producerId, terms.guard());
        }
        if (origin == AppendOrigin.CLIENT) {
            int firstSequence = BatchHeader.baseSequence(batch, at);
            boolean knowsBatches = state != null && state.hasBatches();
            verifications.checkSequence(producerId, firstSequence, knowsBatches);
            if (state != null) { // else any is accepted: its state expired, or its records are deleted
                checkSequence(state, epoch, firstSequence);
            }
        }
        if (open && !transactional) {
            throw new InvalidTxnStateException("Producer " + producerId + " has an open transaction in " + partition
                    + " and sent a batch outside it");
        }
    }

    private void requireNotFenced(ProducerState state, short epoch) {
        if (epoch < state.epoch()) {
            throw new InvalidProducerEpochException("Epoch of producer " + state.producerId + " in " + partition
                    + " is " + epoch + ", which is smaller than the last seen epoch " + state.epoch());
        }
    }

    private void checkSequence(ProducerState state, short epoch, int firstSequence) {
        if (epoch != state.epoch()) {
            if (firstSequence != 0 && state.epoch() != -1) {
                throw new OutOfOrderSequenceException("Producer " + state.producerId + " begins epoch " + epoch + " in "
                        + partition + " with sequence " + firstSequence + " instead of 0");
            }
            return;
        }
        int last = state.lastSequence();
        boolean follows = firstSequence == last + 1L || (firstSequence == 0 && last == Integer.MAX_VALUE);
        if (!follows) {
            throw new OutOfOrderSequenceException("Producer " + state.producerId + " in " + partition
                    + " sent sequence " + firstSequence + " after " + last);
        }
    }

    private void checkMarker(
            ProducerState state, short epoch, @Nullable TransactionMarker marker, short transactionVersion) {
        if (marker == null) {
            return;
        }
        boolean retryOfMarker = transactionVersion >= 2
                && epoch == state.epoch()
                && (state.transactionFirstOffset() < 0 || epoch == Short.MAX_VALUE);
        boolean stale = transactionVersion >= 2 ? epoch <= state.epoch() : epoch < state.epoch();
        if (stale && !retryOfMarker) {
            throw new InvalidProducerEpochException("Marker of producer " + state.producerId + " in " + partition
                    + " has epoch " + epoch + ", the last seen is " + state.epoch());
        }
        if (state.coordinatorEpoch() > marker.coordinatorEpoch()) {
            throw new TransactionCoordinatorFencedException(
                    "Marker of producer " + state.producerId + " in " + partition
                            + " has coordinator epoch " + marker.coordinatorEpoch() + ", the last seen is "
                            + state.coordinatorEpoch());
        }
    }

    /**
     * Takes in a batch that is in the log.
     *
     * @return the transaction that it aborts, if it does: an entry for the transaction index
     */
    TransactionIndex.@Nullable Aborted apply(ByteBuffer batch, int at) {
        long producerId = BatchHeader.producerId(batch, at);
        TransactionIndex.Aborted aborted = null;
        if (producerId >= 0) {
            aborted = BatchHeader.isControl(batch, at)
                    ? applyMarker(batch, at, producerId)
                    : applyData(batch, at, producerId);
            if (BatchHeader.isTransactional(batch, at)) {
                verifications.onAppended(
                        producerId, BatchHeader.producerEpoch(batch, at), BatchHeader.isControl(batch, at));
            }
        }
        endOffset = BatchHeader.lastOffset(batch, at) + 1;
        return aborted;
    }

    private TransactionIndex.@Nullable Aborted applyData(ByteBuffer batch, int at, long producerId) {
        ProducerState state = findOrAdd(producerId);
        long baseOffset = BatchHeader.baseOffset(batch, at);
        state.onBatch(
                BatchHeader.producerEpoch(batch, at),
                BatchHeader.lastSequence(batch, at),
                BatchHeader.lastOffset(batch, at),
                BatchHeader.lastOffsetDelta(batch, at),
                BatchHeader.maxTimestamp(batch, at));
        if (BatchHeader.isTransactional(batch, at) && state.transactionFirstOffset() < 0) {
            state.beginTransaction(baseOffset);
            ongoing.put(baseOffset, producerId);
            updateFirstUnstable();
        }
        return null;
    }

    private TransactionIndex.@Nullable Aborted applyMarker(ByteBuffer batch, int at, long producerId) {
        TransactionMarker marker = TransactionMarker.read(batch, at);
        if (marker == null) {
            return null; // emptied by compaction: the whole transaction is gone
        }
        ProducerState state = findOrAdd(producerId);
        long first = state.transactionFirstOffset();
        long offset = BatchHeader.baseOffset(batch, at);
        state.onMarker(
                BatchHeader.producerEpoch(batch, at), marker.coordinatorEpoch(), BatchHeader.maxTimestamp(batch, at));
        if (first < 0) {
            return null; // a marker without data changes no offset's visibility
        }
        ongoing.remove(first);
        unreplicated.put(first, offset);
        updateFirstUnstable();
        if (marker.commit()) {
            return null;
        }
        long lastStable = ongoing.isEmpty() ? offset + 1 : ongoing.firstKey();
        return new TransactionIndex.Aborted(producerId, first, offset, lastStable);
    }

    private ProducerState findOrAdd(long producerId) {
        ProducerState state = find(producerId);
        if (state == null) {
            state = new ProducerState(producerId);
            producers.put(producerId, state);
            latest = state;
        }
        return state;
    }

    void onHighWatermark(long highWatermark) {
        if (unreplicated.values().removeIf(marker -> marker < highWatermark)) {
            updateFirstUnstable();
        }
    }

    /** Cheap and without the lock: whether {@link #onHighWatermark} may have anything to do. */
    boolean hasUnstable() {
        return firstUnstableOffset != NONE;
    }

    private void updateFirstUnstable() {
        long first = ongoing.isEmpty() ? Long.MAX_VALUE : ongoing.firstKey();
        if (!unreplicated.isEmpty()) {
            first = Math.min(first, unreplicated.firstKey());
        }
        firstUnstableOffset = first == Long.MAX_VALUE ? NONE : first;
    }

    /** Forgets producers that have been silent for producer.id.expiration.ms and have no open transaction. */
    void expire(long nowMs) {
        int silenceMs = expirationMs.getAsInt();
        verifications.expire(nowMs, silenceMs);
        if (producers
                .values()
                .removeIf(state -> state.transactionFirstOffset() < 0 && nowMs - state.lastTimestamp() >= silenceMs)) {
            latest = null;
        }
    }

    /** A copy of what DescribeProducers shows. */
    List<PartitionLog.ProducerInfo> describe() {
        List<PartitionLog.ProducerInfo> list = new ArrayList<>(producers.size());
        for (ProducerState state : producers.values()) {
            list.add(new PartitionLog.ProducerInfo(
                    state.producerId,
                    state.epoch(),
                    state.lastSequence(),
                    state.lastTimestamp(),
                    state.coordinatorEpoch(),
                    state.transactionFirstOffset()));
        }
        return list;
    }

    /** What each producer wrote last: the compactor keeps that batch, empty if need be. */
    Map<Long, CompactableLog.LastRecord> lastRecords() {
        Map<Long, CompactableLog.LastRecord> last = new HashMap<>();
        for (ProducerState state : producers.values()) {
            last.put(state.producerId, new CompactableLog.LastRecord(state.lastDataOffset(), state.epoch()));
        }
        return last;
    }

    // ---- snapshots

    /** The files of snapshots that were taken. */
    SnapshotFiles snapshots() {
        return snapshots;
    }

    /** Starts from the newest whole snapshot at or below {@code offset}; damaged ones are deleted. Else from {@code logStart}. */
    void loadSnapshot(long logStart, long offset, long nowMs) throws IOException {
        clear();
        SnapshotFiles.@Nullable Found found = snapshots.newestUpTo(offset);
        if (found == null) {
            endOffset = logStart;
            return;
        }
        for (ProducerSnapshot.Entry entry : found.entries()) {
            restore(ProducerState.restored(entry));
        }
        expire(nowMs);
        updateFirstUnstable();
        endOffset = found.offset();
    }

    /** Whether a producer wrote since: it may have batches under way that it will send again. */
    boolean anyoneSince(long timeMs) {
        return producers.values().stream().anyMatch(state -> state.lastTimestamp() >= timeMs);
    }

    /**
     * A batch from before the snapshot that was loaded, in the order of the log. A snapshot has each producer's last batch only, but a
     * producer whose answers were lost in the restart sends again up to five.
     */
    void recall(ByteBuffer batch, int at) {
        ProducerState state = producers.get(BatchHeader.producerId(batch, at));
        if (state != null
                && !BatchHeader.isControl(batch, at)
                && BatchHeader.producerEpoch(batch, at) == state.epoch()) {
            state.recall(
                    BatchHeader.lastSequence(batch, at),
                    BatchHeader.lastOffset(batch, at),
                    BatchHeader.lastOffsetDelta(batch, at),
                    BatchHeader.maxTimestamp(batch, at));
        }
    }

    private void restore(ProducerState state) {
        producers.put(state.producerId, state);
        if (state.transactionFirstOffset() >= 0) {
            ongoing.put(state.transactionFirstOffset(), state.producerId);
        }
    }

    /** Writes a snapshot of the present state if there is none at its offset; it is forced with the next flush. */
    void takeSnapshot() throws IOException {
        if (!snapshots.contains(endOffset)) {
            List<ProducerSnapshot.Entry> entries = new ArrayList<>(producers.size());
            producers.values().forEach(state -> entries.add(state.toSnapshot()));
            snapshots.write(endOffset, entries);
        }
    }

    /** A segment begins at {@code offset}, at the end of what is known or behind a gap: the snapshot that a roll takes. */
    void takeSnapshotAt(long offset) throws IOException {
        endOffset = Math.max(endOffset, offset);
        takeSnapshot();
    }

    /**
     * The log lost its end: what was known from there on is void. The caller replays from {@link #endOffset}, and syncs the folder before
     * the log grows again.
     *
     * @return whether snapshots were deleted
     */
    boolean truncateTo(long logStart, long offset, long nowMs) throws IOException {
        boolean lost = snapshots.deleteAbove(offset);
        if (offset < endOffset) {
            loadSnapshot(logStart, offset, nowMs);
        }
        return lost;
    }

    /** The log starts anew, empty, at {@code offset}. */
    void startAt(long offset) throws IOException {
        clear();
        snapshots.deleteAll();
        endOffset = offset;
    }

    /** What another log that begins at {@code offset} cannot learn of the producers from its batches. */
    List<ProducerState> knownBefore(long offset) {
        List<ProducerState> known = new ArrayList<>();
        for (ProducerState state : producers.values()) {
            ProducerState before = state.before(offset);
            if (before.hasBatches() || !state.hasBatches()) {
                known.add(before);
            }
        }
        return known;
    }

    /** Takes over what {@link #knownBefore} answered, at the log's start. */
    void takeOver(List<ProducerState> known) throws IOException {
        if (!known.isEmpty()) {
            known.forEach(this::restore);
            updateFirstUnstable();
            takeSnapshot();
        }
    }

    private void clear() {
        producers.clear();
        verifications.clear();
        ongoing.clear();
        unreplicated.clear();
        latest = null;
        updateFirstUnstable();
    }

    /** Nothing was appended: the answer is that of the first time. */
    record Duplicate(long firstOffset, long lastOffset, long timestamp) {}
}
