package io.barnabas.replication;

import io.barnabas.partition.LocalPartition;

/**
 * A partition that is followed under one leader epoch: another epoch makes another of these, so that what is late finds nobody. Guarded by
 * its fetcher, but for what is final.
 */
final class FollowedPartition {
    private static final long FIRST_BACKOFF_MS = 20;
    private static final long NOT_ASKED = -1;

    final LocalPartition local;
    final PartitionKey key;
    final int epoch;
    State state = State.FETCHING;
    long askedOffset = NOT_ASKED; // that the leader's session has of it
    long askedIn; // the number of the request that told it so: answers to earlier ones are void
    volatile long leaderHighWatermark; // as the last answer told
    volatile long leaderLogStart;
    private long backoffMs = FIRST_BACKOFF_MS;

    FollowedPartition(LocalPartition local, int epoch) {
        this.local = local;
        this.key = new PartitionKey(local.topicId(), local.topicPartition().partition());
        this.epoch = epoch;
    }

    /** What is being done about it. */
    enum State {
        /** It is in the fetches. */
        FETCHING,
        /** Its log is cut or forced, or the leader asked where it begins or ends: not in the fetches. */
        BUSY,
        /** It rests after an error: not in the fetches. */
        RESTING,
        /** It cannot be followed; new metadata may change that. */
        FAILED
    }

    String topic() {
        return local.topicPartition().topic();
    }

    /** How long it rests after one more error. */
    long nextBackoffMs(long most) {
        long now = Math.min(backoffMs, most);
        backoffMs = Math.min(most, now * 2);
        return now;
    }

    void onProgress() {
        backoffMs = FIRST_BACKOFF_MS;
    }

    @Override
    public String toString() {
        return local.topicPartition() + " in epoch " + epoch;
    }
}
