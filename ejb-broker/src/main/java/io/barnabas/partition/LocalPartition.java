package io.barnabas.partition;

import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.log.AppendTerms;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig.Durability;
import io.barnabas.log.LogMovedException;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;
import io.barnabas.log.ReadResult;
import io.barnabas.metadata.PartitionImage;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.FencedLeaderEpochException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownLeaderEpochException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * A partition of this broker: joins one log with what the metadata says of its leadership, and keeps the high watermark. The
 * handlers come before it, the log after.
 *
 * <p>Threads: appends and reads from any (event loops); a change of leadership, log or existence comes from the metadata thread or
 * the log's and excludes appends. The high watermark only rises within a leadership and is read without a lock.
 */
public final class LocalPartition implements Partition {
    /** No particular epoch is asked for. */
    public static final int ANY_EPOCH = -1;

    private static final CompletionStage<Void> DONE = CompletableFuture.completedFuture(null);

    private final Uuid topicId;
    private final TopicFigures figures;
    private final PartitionState state;
    private final HighWatermark highWatermark;
    private final Followers followers;
    private final Following following;

    LocalPartition(
            TopicPartition topicPartition,
            Uuid topicId,
            ReplicaTerms terms,
            TopicFigures figures,
            PartitionImage image) {
        this.topicId = topicId;
        this.figures = figures;
        this.state = new PartitionState(topicPartition, terms, image);
        this.highWatermark = state.highWatermark;
        this.followers = new Followers(state, topicId);
        this.following = new Following(state);
    }

    @Override
    public TopicPartition topicPartition() {
        return state.topicPartition;
    }

    @Override
    public Uuid topicId() {
        return topicId;
    }

    public TopicFigures figures() {
        return figures;
    }

    /** The partition's metadata that this broker acts on. */
    public PartitionImage image() {
        return state.leadership.image();
    }

    @Override
    public PartitionLog log() {
        return state.log();
    }

    /** Whether the log can be reached: false while its directory is offline, and once the partition is deleted. */
    public boolean online() {
        return state.log != null;
    }

    /** Whether its log is there, and the disk that it is on has not failed. */
    public boolean hasDisk() {
        @Nullable PartitionLog present = state.log;
        return present != null && present.directory().online();
    }

    boolean isIn(DataDirectory directory) {
        @Nullable PartitionLog present = state.log;
        return present != null && present.directory().id().equals(directory.id());
    }

    public boolean leads() {
        return state.leadership.leads();
    }

    public boolean deleted() {
        return state.deleted;
    }

    @Override
    public int leaderEpoch() {
        return state.leadership.epoch();
    }

    /** Fewer in-sync replicas than acks=all asks for. */
    public boolean underMinIsr() {
        @Nullable PartitionLog of = state.log;
        return of != null && state.leadership.underMinIsr(of.config().minInsyncReplicas());
    }

    /** As few in-sync replicas as acks=all can do with. */
    public boolean atMinIsr() {
        @Nullable PartitionLog of = state.log;
        return of != null && state.leadership.atMinIsr(of.config().minInsyncReplicas());
    }

    /** Where the present leader epoch began, if this broker leads. */
    public long leaderEpochStartOffset() {
        return state.leadership.startOffset();
    }

    @Override
    public long highWatermark() {
        return highWatermark.get();
    }

    @Override
    public long lastStableOffset() {
        return Math.min(highWatermark.get(), log().firstUnstableOffset());
    }

    /**
     * Compares the epoch that a client has with ours (KIP-320), then asks for leadership.
     *
     * @param clientEpoch {@link #ANY_EPOCH} compares nothing
     * @return the log
     * @throws FencedLeaderEpochException the client's is older
     * @throws UnknownLeaderEpochException the client's is newer
     * @throws NotLeaderOrFollowerException a leader is asked for and this broker is not
     */
    public PartitionLog logAt(int clientEpoch, boolean leaderOnly) {
        PartitionLog present = log();
        Leadership now = state.leadership;
        if (clientEpoch != ANY_EPOCH && clientEpoch < now.epoch()) {
            throw new FencedLeaderEpochException(
                    "The leader epoch of " + state.topicPartition + " is newer than the request's");
        }
        if (clientEpoch != ANY_EPOCH && clientEpoch > now.epoch()) {
            throw new UnknownLeaderEpochException(
                    "The leader epoch of " + state.topicPartition + " is older than the request's");
        }
        if (leaderOnly && !now.leads()) {
            throw state.notLeader();
        }
        return present;
    }

    /**
     * KIP-101: the largest epoch at most {@code epoch} and where it ends. The leader's own epoch ends at the log's end, recorded or
     * not (an empty log has no epochs on disk yet).
     */
    public EpochEnd endOffsetFor(PartitionLog of, int epoch) {
        return state.endOffsetFor(of, epoch);
    }

    @Override
    public AppendResult append(MemoryRecords records, AppendOrigin origin, short acks) {
        return append(records, origin, acks, ANY_EPOCH, AppendTerms.NONE);
    }

    @Override
    public AppendResult append(MemoryRecords records, AppendOrigin origin, short acks, AppendTerms terms) {
        return append(records, origin, acks, ANY_EPOCH, terms);
    }

    AppendResult append(MemoryRecords records, AppendOrigin origin, short acks, int expectedEpoch, AppendTerms terms) {
        try {
            return appendOnce(records, origin, acks, expectedEpoch, terms);
        } catch (LogMovedException e) { // nothing was appended, and onLog is about to be called
            take(e.successor(), e.left());
            return appendOnce(records, origin, acks, expectedEpoch, terms);
        }
    }

    private AppendResult appendOnce(
            MemoryRecords records, AppendOrigin origin, short acks, int expectedEpoch, AppendTerms terms) {
        AppendResult result;
        PartitionLog to;
        state.change.readLock().lock();
        try {
            to = log();
            Leadership now = leadingAt(expectedEpoch);
            if (acks == -1) {
                requireMinIsr(to, now);
            }
            result = to.append(records, origin, now.epoch(), terms);
        } catch (LogMovedException e) {
            throw e;
        } catch (RuntimeException e) {
            figures.onFailedAppend();
            throw e;
        } finally {
            state.change.readLock().unlock();
        }
        if (!result.duplicate()) {
            figures.onAppend(result.bytes(), result.records());
            onAppended(to, result.lastOffset() + 1, result.bytes());
        }
        return result;
    }

    private Leadership leadingAt(int expectedEpoch) {
        Leadership now = state.leadership;
        if (!now.leads() || (expectedEpoch != ANY_EPOCH && expectedEpoch != now.epoch())) {
            throw state.notLeader();
        }
        return now;
    }

    private void requireMinIsr(PartitionLog of, Leadership now) {
        if (now.underMinIsr(of.config().minInsyncReplicas())) {
            throw new NotEnoughReplicasException("Partition " + state.topicPartition + " has "
                    + now.image().isr().size() + " in-sync replicas, fewer than min.insync.replicas");
        }
    }

    /** As {@link PartitionLog#beginVerification}, by the leader. */
    public long beginVerification(long producerId, short producerEpoch, int baseSequence, boolean epochBump) {
        return logAt(ANY_EPOCH, true).beginVerification(producerId, producerEpoch, baseSequence, epochBump);
    }

    /** What this replica has, it has for good as soon as the topic's durability is reached; alone in sync, that commits it. */
    @SuppressWarnings(
            "FutureReturnValueIgnored") // a failed force takes the directory offline, and that fails who waits
    private void onAppended(PartitionLog to, long endOffset, int bytes) {
        Leadership now = state.leadership;
        if (!now.single()) {
            highWatermark.onAppended(bytes);
        }
        if (to.config().durability() == Durability.OS) {
            onDurable(to, now, endOffset, bytes);
        } else {
            to.durable(endOffset).thenRun(() -> onDurable(to, now, endOffset, bytes));
        }
    }

    private void onDurable(PartitionLog of, Leadership at, long endOffset, int bytes) {
        if (!at.single() || !state.leadership.single()) { // a force takes a while
            if (at.aloneInSync() || of.config().durability() != Durability.OS) {
                followers.advance();
            } // else followers' fetches raise the high watermark
            return;
        }
        if (of != state.log) {
            return; // moved, deleted or failed meanwhile
        }
        if (highWatermark.raise(endOffset)) {
            of.onHighWatermark(endOffset);
        }
        highWatermark.onAppendedAndRaised(at.epoch(), bytes);
    }

    @Override
    public CompletionStage<Void> committed(long offset) {
        return committed(offset, ANY_EPOCH);
    }

    /**
     * As {@link #committed(long)}, of what was appended under one leader epoch.
     *
     * @param epoch read before the append: under a later one the offset may be another record's
     */
    public CompletionStage<Void> committed(long offset, int epoch) {
        return committed(offset, epoch, true);
    }

    /** As {@link #committed(long, int)}, for a client: fails with a {@link CutOffException} when this leader is cut off. */
    public CompletionStage<Void> committedForClient(long offset, int epoch) {
        return committed(offset, epoch, false);
    }

    /** @throws CutOffException nothing that is appended now would be committed soon */
    public void requireInTouch() {
        if (state.isCutOff()) {
            throw state.cutOff();
        }
    }

    private CompletionStage<Void> committed(long offset, int epoch, boolean patient) {
        Leadership now = state.leadership;
        if (epoch != ANY_EPOCH && epoch != now.epoch()) {
            return CompletableFuture.failedFuture(state.notLeader()); // of others' waiting it says nothing
        }
        if (highWatermark.get() >= offset) {
            return DONE;
        }
        CompletionStage<Void> committed = highWatermark.await(offset, now.epoch(), patient);
        if (state.log == null || !state.leadsAt(now.epoch())) {
            highWatermark.onDisturbance(state.log == null ? state.unavailable() : state.notLeader());
        } else if (highWatermark.get() >= offset) {
            highWatermark.completeReached(now.epoch());
        }
        return committed;
    }

    /** This partition as the leader of others. */
    public Followers followers() {
        return followers;
    }

    /** This partition as the follower of another broker. */
    public Following following() {
        return following;
    }

    @Override
    public ReadResult read(long offset, int maxBytes, boolean atLeastOne, boolean readCommitted) throws IOException {
        PartitionLog from = log();
        long hw = highWatermark.get();
        long upTo = readCommitted ? Math.min(hw, from.firstUnstableOffset()) : hw;
        return readUpTo(from, offset, upTo, new ReadLimit(maxBytes, atLeastOne, readCommitted));
    }

    /**
     * Reads below {@code upTo}, counting what is read.
     *
     * @throws org.apache.kafka.common.errors.OffsetOutOfRangeException below the log start offset or above the log end offset
     */
    public ReadResult readUpTo(PartitionLog from, long offset, long upTo, ReadLimit limit) throws IOException {
        ReadResult result = from.read(offset, limit.maxBytes(), upTo, limit.atLeastOne(), limit.listAborted());
        figures.onRead(result.records().sizeInBytes());
        return result;
    }

    /**
     * How much a read may bring.
     *
     * @param atLeastOne the first batch comes even if it is larger than {@code maxBytes}
     * @param listAborted aborted transactions are listed (read_committed)
     */
    public record ReadLimit(int maxBytes, boolean atLeastOne, boolean listAborted) {}

    @Override
    public Registration watch(Watcher watcher) {
        return highWatermark.watch(watcher);
    }

    // What follows is called by LocalPartitions alone, on the metadata thread, a worker on its behalf, or a thread of
    // the log.

    /**
     * Takes the log, a first one or that of another directory after a move: the partition is online from now on. Who waits for a
     * force of the log before is told by the new one's.
     */
    void onLog(PartitionLog opened) {
        take(opened, null);
    }

    /** Takes an empty log in the place of one that was given up: the metadata say that this broker is not in sync. */
    void onEmptied(PartitionLog empty) {
        state.change.writeLock().lock();
        try {
            if (!state.deleted) {
                state.log = empty;
                state.highWatermark.lower(empty.logEndOffset());
            }
        } finally {
            state.change.writeLock().unlock();
        }
    }

    private void take(PartitionLog opened, @Nullable PartitionLog insteadOf) {
        if (state.replaceLog(opened, insteadOf) && leads()) {
            onAppended(opened, opened.logEndOffset(), 0);
        }
    }

    /**
     * Takes new metadata of the partition. A new epoch of our own leadership is recorded by the log first, forced, unless the log
     * is empty: then its first batch records it, and nothing can diverge before.
     *
     * @return what coordinators must be told
     */
    Transition onImage(PartitionImage image) {
        Transition transition;
        boolean follows;
        state.change.writeLock().lock();
        try {
            Leadership before = state.leadership;
            if (image.partitionEpoch() < before.image().partitionEpoch()) {
                return Transition.NONE; // metadata do not go back
            }
            @Nullable PartitionLog of = state.log;
            boolean leads = image.leader() == state.terms.brokerId() && of != null && !state.deleted;
            boolean began = leads && (!before.leads() || before.epoch() != image.leaderEpoch());
            long start = before.startOffset();
            if (began && of != null) {
                start = of.logEndOffset();
                if (start > 0) {
                    of.onLeaderEpoch(image.leaderEpoch());
                }
            }
            state.leadership = new Leadership(leads, start, image);
            followers.onLeadership(began);
            transition = began ? Transition.BEGAN : before.leads() && !leads ? Transition.RESIGNED : Transition.NONE;
            follows = !leads && before.epoch() != image.leaderEpoch();
        } finally {
            state.change.writeLock().unlock();
        }
        @Nullable PartitionLog of = state.log;
        if (transition == Transition.BEGAN && of != null) {
            onAppended(of, of.logEndOffset(), 0);
        }
        if (transition != Transition.NONE || follows) {
            highWatermark.onDisturbance(state.notLeader());
        }
        followers.advance();
        return transition;
    }

    /** What became of this broker's leadership of a partition. */
    enum Transition {
        NONE,
        BEGAN,
        RESIGNED
    }

    /** The directory failed. Returns whether this broker led until now. */
    boolean onOffline() {
        return closeLog(false);
    }

    /** The partition is no longer of this broker. Returns whether this broker led until now. */
    boolean onDeleted() {
        return closeLog(true);
    }

    private boolean closeLog(boolean forGood) {
        boolean led;
        state.change.writeLock().lock();
        try {
            led = state.leadership.leads();
            state.deleted |= forGood;
            state.log = null;
            state.leadership = new Leadership(false, state.leadership.startOffset(), state.leadership.image());
            followers.onLeadership(false);
        } finally {
            state.change.writeLock().unlock();
        }
        highWatermark.onDisturbance(state.unavailable());
        return led;
    }
}
