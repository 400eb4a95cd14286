package io.barnabas.partition;

/** The rule by which a follower comes into the in-sync replicas. Pure. */
final class InSyncReplicas {
    private InSyncReplicas() {}

    /**
     * A follower comes in once it has all that is committed, and all that the leader had when its epoch began: the high watermark of a new
     * leader may still be lower than that of the one before, which a replica without those records must not be in sync with.
     */
    static boolean mayJoin(ReplicaState follower, long highWatermark, long epochStart) {
        return follower.logEndOffset() >= highWatermark && follower.logEndOffset() >= epochStart;
    }
}
