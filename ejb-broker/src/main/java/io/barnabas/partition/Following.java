package io.barnabas.partition;

import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.log.LogMovedException;
import io.barnabas.log.PartitionLog;
import java.util.function.Consumer;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * A partition as the follower of another broker: takes what its leader answered, and cuts off what that does not have. Each call names
 * the leader epoch that it was asked under, and does nothing under another: what comes late changes nothing.
 *
 * <p>Called by the fetcher, by one thread at a time; safe beside everything else.
 */
public final class Following {
    /** So long after its last visit a reader is reckoned with. */
    private static final long READER_MS = 10_000;

    private final PartitionState state;
    private volatile long readMs = Long.MIN_VALUE / 2; // when somebody last waited here
    private volatile Runnable onReaders = () -> {};

    Following(PartitionState state) {
        this.state = state;
    }

    /**
     * Appends what the leader answered.
     *
     * @throws org.apache.kafka.common.errors.NotLeaderOrFollowerException the partition has another leader epoch by now
     * @throws org.apache.kafka.common.errors.ApiException nothing was appended
     */
    public AppendResult append(MemoryRecords records, int epoch) {
        try {
            return appendOnce(records, epoch);
        } catch (LogMovedException e) { // nothing was appended
            state.replaceLog(e.successor(), e.left());
            return appendOnce(records, epoch);
        }
    }

    private AppendResult appendOnce(MemoryRecords records, int epoch) {
        AppendResult result;
        state.change.readLock().lock();
        try {
            state.requireFollowing(epoch);
            result = state.log().append(records, AppendOrigin.REPLICATION, epoch);
        } finally {
            state.change.readLock().unlock();
        }
        state.highWatermark.onReplicated(result.bytes());
        return result;
    }

    /** Somebody waits here for the high watermark (KIP-392): from now on, and as long as this goes on, the leader should tell it at once. */
    public void onReader() {
        boolean first = !hasReaders();
        readMs = state.terms.nowMs();
        if (first) {
            onReaders.run();
        }
    }

    /** Whether there are readers who wait for the high watermark, or will again soon. */
    public boolean hasReaders() {
        return state.terms.nowMs() - readMs <= READER_MS;
    }

    /** Runs {@code action}, which must be short, on any thread, when there are readers after there were none. In place of another. */
    public void whenReaders(Runnable action) {
        onReaders = action;
    }

    /** The leader has told its high watermark; ours is no higher than our log's end. */
    public void onHighWatermark(long leaders, int epoch) {
        if (leaders <= state.highWatermark.get()) {
            return;
        }
        long end;
        state.change.readLock().lock();
        try {
            state.requireFollowing(epoch);
            PartitionLog of = state.log();
            end = of.logEndOffset();
            long to = Math.min(leaders, end);
            if (!state.highWatermark.raise(to)) {
                return;
            }
            of.onHighWatermark(to);
        } finally {
            state.change.readLock().unlock();
        }
        state.highWatermark.onRaised(epoch, end);
    }

    /** The leader's log begins at {@code offset}. Touches files: not on an event loop. */
    public void onLogStart(long offset, int epoch) {
        state.change.readLock().lock();
        try {
            state.requireFollowing(epoch);
            PartitionLog of = state.log();
            of.deleteRecordsBefore(Math.min(offset, state.highWatermark.get()));
        } finally {
            state.change.readLock().unlock();
        }
    }

    /** Drops what the leader does not have: from {@code offset} on. Touches files: not on an event loop. */
    public void truncateTo(long offset, int epoch) {
        cut(epoch, of -> of.truncateTo(offset));
    }

    /** Drops everything and begins again at {@code offset}, the leader's log start. Touches files: not on an event loop. */
    public void restartAt(long offset, int epoch) {
        cut(epoch, of -> of.truncateFully(offset));
    }

    private void cut(int epoch, Consumer<PartitionLog> by) {
        state.change.writeLock().lock();
        try {
            state.requireFollowing(epoch);
            PartitionLog of = state.log();
            by.accept(of);
            state.highWatermark.lower(of.logEndOffset());
            state.highWatermark.raise(of.logStartOffset());
        } finally {
            state.change.writeLock().unlock();
        }
    }
}
