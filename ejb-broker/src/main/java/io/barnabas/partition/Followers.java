package io.barnabas.partition;

import io.barnabas.log.LogConfig.Durability;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.jspecify.annotations.Nullable;

/**
 * A partition as the leader of others: takes in where its followers are, raises the high watermark by that, and says what its ISR should
 * be. Fetches of followers come before it, {@code replication} asks the controller after it.
 *
 * <p>Safe from any thread. {@link #advance}, and what calls it, must be called under no lock: who waits for the high watermark is told on
 * the caller's thread and may do anything.
 */
public final class Followers {
    private final PartitionState state;
    private final Replicas replicas;

    Followers(PartitionState state, Uuid topicId) {
        this.state = state;
        this.replicas = new Replicas(state.terms, state.topicPartition, topicId);
    }

    /** The leadership has changed; under the exclusive lock. */
    void onLeadership(boolean began) {
        Leadership now = state.leadership;
        if (began) {
            replicas.onLeading(now.image(), now.startOffset());
        } else if (now.leads()) {
            replicas.onChange(now.image());
        } else {
            replicas.onResigned();
        }
    }

    /** Raises the high watermark as far as followers and durability allow, and tells who waits for it. */
    public void advance() {
        int epoch;
        long end;
        state.change.readLock().lock(); // nothing is cut off, and nobody else leads, in between
        try {
            @Nullable PartitionLog of = state.log;
            Leadership now = state.leadership;
            if (of == null || !now.leads() || now.underMinIsr(of.config().minInsyncReplicas())) {
                return; // KIP-966: what is committed must be on enough replicas
            }
            epoch = now.epoch();
            end = of.config().durability() == Durability.OS
                    ? of.logEndOffset()
                    : Math.min(of.logEndOffset(), of.recoveryPoint());
            long to = replicas.committable(end);
            if (!state.highWatermark.raise(to)) {
                return;
            }
            of.onHighWatermark(to);
        } finally {
            state.change.readLock().unlock();
        }
        state.highWatermark.onRaised(epoch, end);
    }

    /**
     * A broker's fetch is of a follower of the partition that may be answered.
     *
     * @throws NotLeaderOrFollowerException it has no replica, or the fetch is of an earlier life of that broker (KIP-903)
     */
    public void require(int broker, long brokerEpoch) {
        if (!state.leadership.image().replicas().contains(broker)) {
            throw new NotLeaderOrFollowerException("Broker " + broker + " is no replica of " + state.topicPartition);
        }
        if (state.terms.isPast(broker, brokerEpoch)) {
            throw new NotLeaderOrFollowerException(
                    "Broker " + broker + " has registered again since epoch " + brokerEpoch);
        }
    }

    /**
     * Takes note of where a follower is: it has everything before the offset that it asks for. {@link #advance} is to be called then.
     *
     * @return false if that says nothing: wrong epoch, diverged, out of range, not led here
     */
    public boolean onFetch(FollowerFetch fetch) {
        @Nullable PartitionLog of = state.log;
        Leadership now = state.leadership;
        if (of == null
                || !now.leads()
                || fetch.leaderEpoch() != now.epoch()
                || fetch.offset() < of.logStartOffset()
                || fetch.offset() > of.logEndOffset()
                || state.terms.isPast(fetch.brokerId(), fetch.brokerEpoch())
                || diverges(of, fetch)) {
            return false;
        }
        return replicas.onFetch(fetch, now.epoch(), of.logEndOffset());
    }

    private boolean diverges(PartitionLog of, FollowerFetch fetch) {
        if (fetch.lastEpoch() < 0) {
            return false;
        }
        EpochEnd known = state.endOffsetFor(of, fetch.lastEpoch());
        return known.epoch() < fetch.lastEpoch() || known.endOffset() < fetch.offset();
    }

    /**
     * A follower that a consumer may read from.
     *
     * @param behindMs since it was last caught up
     */
    public record ReadableReplica(int brokerId, long logEndOffset, long behindMs) {}

    /** The followers in sync that have what comes at {@code offset}, or will have next. Who lags is none: a consumer would lag, too. */
    public List<ReadableReplica> readableAt(long offset) {
        return replicas.readableAt(offset);
    }

    /** Whether the follower, which has just fetched, should come into the ISR. */
    public boolean shouldJoin(int broker) {
        return replicas.shouldJoin(broker, state.highWatermark.get());
    }

    /** The offset below which no live replica has records any more (KIP-107); the leader's log start if it has no followers. */
    public long lowWatermark() {
        return replicas.lowWatermark(state.log().logStartOffset());
    }

    /**
     * Looks whether this leader is cut off, and keeps that in mind for this epoch: then clients that wait for commits need wait no longer.
     * Under no lock.
     *
     * @param alone whether the controller is not reached, either
     * @param silentMs since when a replica in sync must not have fetched
     * @return whether it is
     */
    public boolean lookIfCutOff(boolean alone, long silentMs) {
        Leadership now = state.leadership;
        boolean cutOff = alone && now.leads() && replicas.lacks(silentMs);
        state.cutOffEpoch = cutOff ? now.epoch() : PartitionState.NOT_CUT_OFF;
        if (cutOff) {
            state.highWatermark.onCutOff(state.cutOff());
        }
        return cutOff;
    }

    /** The log start has moved, here or at a follower: tells who waits for that. Under no lock. */
    public void onLogStart() {
        state.highWatermark.onLogStart();
    }

    /** The ISR to ask the controller for, if it should change; from then on a change is under way. Under no lock. */
    public @Nullable IsrProposal propose() {
        // No high watermark may be raised between the look at it and the maximal ISR's growth (I8): it would be past
        // what the replica has that is to come in.
        state.change.writeLock().lock();
        try {
            @Nullable PartitionLog of = state.log;
            return of == null ? null : replicas.propose(state.highWatermark.get(), of.logEndOffset());
        } finally {
            state.change.writeLock().unlock();
        }
    }

    /** Whether the proposal is still to be settled: neither done, nor void by another change. */
    public boolean awaits(IsrProposal proposal) {
        return proposal.equals(replicas.pending());
    }

    /** The controller refused it, or has it so already: nothing has changed. */
    public void onRefused(IsrProposal proposal) {
        replicas.onRefused(proposal);
        advance();
    }
}
