package io.barnabas.partition;

import io.barnabas.partition.Partition.Registration;
import io.barnabas.partition.Partition.Watcher;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Up to where a partition's records are committed, and who waits for that to rise. It falls only with a truncation.
 *
 * <p>Threads: raised by any, under the partition's shared lock; lowered under its exclusive one; read without. Waiters are called under no
 * lock.
 */
final class HighWatermark {
    private final PendingByOffset pending = new PendingByOffset();
    private final AtomicLong offset = new AtomicLong();
    private final AtomicLong uncommittedBytes = new AtomicLong(); // at most so many can be read when it rises

    long get() {
        return offset.get();
    }

    /** Raises it; returns whether it was lower. */
    boolean raise(long to) {
        long before = offset.get();
        while (before < to && !offset.compareAndSet(before, to)) {
            before = offset.get();
        }
        return before < to;
    }

    /** Records were taken off the log's end. */
    void lower(long logEnd) {
        offset.accumulateAndGet(logEnd, Math::min);
        uncommittedBytes.set(0);
    }

    /** Appended, but not committed by that: followers that wait for the log's end may have it. */
    void onAppended(int bytes) {
        uncommittedBytes.addAndGet(bytes);
        pending.onAppended(bytes);
    }

    /** A follower's own waiters learn of records with the high watermark only. */
    void onReplicated(int bytes) {
        uncommittedBytes.addAndGet(bytes);
    }

    /**
     * Tells who waits for commits that it has risen. How many bytes that makes readable is not known, so as many are told of as it may be.
     *
     * @param logEnd the log end offset, or as far as it counts
     */
    void onRaised(int epoch, long logEnd) {
        long bytes = uncommittedBytes.get();
        long now = offset.get();
        if (now >= logEnd) {
            uncommittedBytes.addAndGet(-bytes);
        }
        pending.onCommitted(now, epoch, (int) Math.max(1, Math.min(Integer.MAX_VALUE, bytes)));
    }

    /** Appended and committed at once: a single replica. */
    void onAppendedAndRaised(int epoch, int bytes) {
        pending.onAdvance(offset.get(), epoch, bytes);
    }

    /** @param patient waits on while the leader is cut off */
    CompletionStage<Void> await(long until, int epoch, boolean patient) {
        return pending.await(until, epoch, patient);
    }

    void onCutOff(RuntimeException reason) {
        pending.onCutOff(reason);
    }

    /** It may have risen before the waiter was there. */
    void completeReached(int epoch) {
        pending.onAdvance(offset.get(), epoch, 0);
    }

    void onDisturbance(RuntimeException reason) {
        pending.onDisturbance(reason);
    }

    /** Of some replica. */
    void onLogStart() {
        pending.onLogStart();
    }

    Registration watch(Watcher watcher) {
        return pending.watch(watcher);
    }
}
