package io.barnabas.replication;

import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;

/**
 * Where a follower cuts its log when it parts from its leader's: at the end of the last epoch that both have (KIP-101, 279, 595), never at
 * the high watermark, which a follower learns late. Pure.
 */
final class Divergence {
    private Divergence() {}

    /**
     * The offset from which on the log is cut. If the leader's epoch is unknown here, that is the end of the one before, and the leader
     * is asked again: several quick leaders may have left epochs that only one of the two has.
     *
     * @param leaders the largest epoch at most ours that the leader has, and where it ends there
     */
    static long cutAt(PartitionLog log, EpochEnd leaders) {
        long end = log.logEndOffset();
        EpochEnd ours = log.endOffsetFor(leaders.epoch());
        if (ours.epoch() < 0) {
            return Math.min(leaders.endOffset(), end);
        }
        if (ours.epoch() != leaders.epoch()) {
            return Math.min(ours.endOffset(), end);
        }
        return Math.min(Math.min(ours.endOffset(), leaders.endOffset()), end);
    }
}
