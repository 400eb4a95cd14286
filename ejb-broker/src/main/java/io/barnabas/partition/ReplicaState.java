package io.barnabas.partition;

/** Where a follower is, as its own fetches tell the leader. Guarded by {@link Replicas}. */
final class ReplicaState {
    static final long UNKNOWN = -1;
    /** So long ago that no lag is that great; half of the range, so that differences do not overflow. */
    private static final long NEVER = Long.MIN_VALUE / 2;

    private final int brokerId;
    private long brokerEpoch = UNKNOWN;
    private long logStartOffset = UNKNOWN;
    private long logEndOffset = UNKNOWN;
    private long leaderEndAtLastFetch = UNKNOWN;
    private long lastFetchMs = NEVER;
    private long caughtUpMs;

    /** A follower that has not fetched in this leader epoch; if it is in sync, it has the whole lag time to do so. */
    ReplicaState(int brokerId, boolean inSync, long nowMs) {
        this.brokerId = brokerId;
        this.caughtUpMs = inSync ? nowMs : NEVER;
    }

    int brokerId() {
        return brokerId;
    }

    /** The epoch of the broker's registration that its last fetch carried (KIP-903), or {@link #UNKNOWN}. */
    long brokerEpoch() {
        return brokerEpoch;
    }

    long logStartOffset() {
        return logStartOffset;
    }

    /** All below it the follower has, as durable as the topic asks; {@link #UNKNOWN} before its first fetch. */
    long logEndOffset() {
        return logEndOffset;
    }

    /**
     * It asks for what comes at its log end. Caught up it is now if that is the leader's end, else as of its fetch before if it has got all
     * that was there then: so a follower that keeps pace under load is not taken for a slow one.
     */
    void onFetch(FollowerFetch fetch, long leaderEnd, long nowMs) {
        if (fetch.offset() >= leaderEnd) {
            caughtUpMs = nowMs;
        } else if (leaderEndAtLastFetch >= 0 && fetch.offset() >= leaderEndAtLastFetch) {
            caughtUpMs = Math.max(caughtUpMs, lastFetchMs);
        }
        brokerEpoch = fetch.brokerEpoch();
        logStartOffset = fetch.logStartOffset();
        logEndOffset = fetch.offset();
        leaderEndAtLastFetch = leaderEnd;
        lastFetchMs = nowMs;
    }

    /** How long ago it was caught up. */
    long behindMs(long nowMs) {
        return nowMs - caughtUpMs;
    }

    /** It has fetched within that time, or has not had it yet in this epoch. */
    boolean fetchedWithin(long ms, long nowMs) {
        return nowMs - Math.max(lastFetchMs, caughtUpMs) <= ms;
    }

    /** It has been behind the leader's end for no longer than that. */
    boolean caughtUpWithin(long lagMaxMs, long leaderEnd, long nowMs) {
        return logEndOffset == leaderEnd || nowMs - caughtUpMs <= lagMaxMs;
    }
}
