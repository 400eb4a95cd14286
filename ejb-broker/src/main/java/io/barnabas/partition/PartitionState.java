package io.barnabas.partition;

import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;
import io.barnabas.metadata.PartitionImage;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of a {@link LocalPartition} share: the log, the leadership, the high watermark, and the lock that keeps them together.
 *
 * <p>The fields change under the exclusive lock and are read without; who must not be overtaken by a change takes the shared one.
 */
final class PartitionState {
    static final int NOT_CUT_OFF = -1;

    final TopicPartition topicPartition;
    final ReplicaTerms terms;
    final HighWatermark highWatermark = new HighWatermark();
    final ReentrantReadWriteLock change = new ReentrantReadWriteLock(); // appends share it, changes exclude them
    volatile @Nullable PartitionLog log; // null while its directory is offline
    volatile Leadership leadership;
    volatile boolean deleted;
    volatile int cutOffEpoch = NOT_CUT_OFF; // the epoch in which this leader is cut off; written by who looks for that

    PartitionState(TopicPartition topicPartition, ReplicaTerms terms, PartitionImage image) {
        this.topicPartition = topicPartition;
        this.terms = terms;
        this.leadership = new Leadership(false, 0, image);
    }

    PartitionLog log() {
        @Nullable PartitionLog present = log;
        if (present == null) {
            throw unavailable();
        }
        return present;
    }

    RuntimeException unavailable() {
        return deleted
                ? new UnknownTopicOrPartitionException("Partition " + topicPartition + " has been deleted")
                : new KafkaStorageException("Partition " + topicPartition + " is in an offline log directory");
    }

    NotLeaderOrFollowerException notLeader() {
        return new NotLeaderOrFollowerException("Broker " + terms.brokerId() + " does not lead " + topicPartition);
    }

    boolean leadsAt(int epoch) {
        Leadership now = leadership;
        return now.leads() && now.epoch() == epoch;
    }

    boolean isCutOff() {
        Leadership now = leadership;
        return now.leads() && now.epoch() == cutOffEpoch;
    }

    CutOffException cutOff() {
        return new CutOffException("Broker " + terms.brokerId() + " leads " + topicPartition
                + " and reaches neither its in-sync replicas nor the controller");
    }

    void requireFollowing(int epoch) {
        Leadership now = leadership;
        if (now.leads() || now.epoch() != epoch) {
            throw new NotLeaderOrFollowerException(
                    "Broker " + terms.brokerId() + " does not follow " + topicPartition + " in epoch " + epoch);
        }
    }

    /**
     * KIP-101: the largest epoch at most {@code epoch} and where it ends. The leader's own epoch ends at the log's end, recorded or
     * not (an empty log has no epochs on disk yet).
     */
    EpochEnd endOffsetFor(PartitionLog of, int epoch) {
        Leadership now = leadership;
        return now.leads() && epoch == now.epoch() ? new EpochEnd(epoch, of.logEndOffset()) : of.endOffsetFor(epoch);
    }

    /**
     * Takes a log, if {@code insteadOf} is given only while that is the present one: it may have been moved on, failed or deleted.
     *
     * @return whether it did
     */
    boolean replaceLog(PartitionLog opened, @Nullable PartitionLog insteadOf) {
        change.writeLock().lock();
        try {
            if (deleted || (insteadOf != null && log != insteadOf)) {
                return false;
            }
            log = opened;
            highWatermark.raise(opened.highWatermark()); // as the last process left it
            return true;
        } finally {
            change.writeLock().unlock();
        }
    }
}
