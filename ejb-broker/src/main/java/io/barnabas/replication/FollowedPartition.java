package io.barnabas.replication;

import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.ReplicationThrottle;
import org.apache.kafka.common.protocol.Errors;

/**
 * A partition that is followed under one leader epoch: another epoch makes another of these, so that what is late finds nobody. Guarded by
 * its fetcher, but for what is final.
 */
final class FollowedPartition {
    private static final long FIRST_BACKOFF_MS = 20;
    private static final long NOT_ASKED = -1;
    /** After a change of leaders the other broker may hear of it later: within so many tries it has, some 1.3 s. */
    private static final int TRIES_UNTIL_NEWS = 7;

    final LocalPartition local;
    final PartitionKey key;
    final int epoch;
    State state = State.FETCHING;
    long askedOffset = NOT_ASKED; // that the leader's session has of it
    long askedIn; // the number of the request that told it so: answers to earlier ones are void
    volatile long leaderHighWatermark; // as the last answer told
    volatile long leaderLogStart;
    private long backoffMs = FIRST_BACKOFF_MS;
    private Errors lastError = Errors.NONE;
    private int sameErrors; // in a row

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

    /**
     * Whether what the answer to a request says is of the log as it is. With two requests under way an answer may be to what was wanted
     * before the last append or cut: to cut by that again could take off what the leader counts on.
     */
    boolean isAnsweredBy(long number) {
        return state == State.FETCHING
                && askedOffset >= 0
                && askedIn <= number
                && local.online()
                && askedOffset == local.log().logEndOffset();
    }

    /** Whether it is behind and may not be fetched for now. */
    boolean isHeldBack(ReplicationThrottle throttle) {
        return throttle.holdsBack(local.topicPartition()) && lagRecords() > 0;
    }

    /** Committed records that it lacks, as far as the leader has told. */
    long lagRecords() {
        return local.online() ? Math.max(0, leaderHighWatermark - local.log().logEndOffset()) : 0;
    }

    /** How long it rests after one more error. */
    long nextBackoffMs(long most) {
        long now = Math.min(backoffMs, most);
        backoffMs = Math.min(most, now * 2);
        return now;
    }

    /** The leader has answered without an error. */
    void onAnswer() {
        backoffMs = FIRST_BACKOFF_MS;
        lastError = Errors.NONE;
    }

    /** Whether the leader's error is worth a word: another than before, and not one that passes by itself when metadata arrive. */
    boolean isNews(Errors error) {
        sameErrors = error == lastError ? sameErrors + 1 : 1;
        lastError = error;
        return sameErrors == (mayPass(error) ? TRIES_UNTIL_NEWS : 1);
    }

    private static boolean mayPass(Errors error) {
        return switch (error) {
            case UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION -> true;
            default -> false;
        };
    }

    @Override
    public String toString() {
        return local.topicPartition() + " in epoch " + epoch;
    }
}
