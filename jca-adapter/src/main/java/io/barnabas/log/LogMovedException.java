package io.barnabas.log;

import org.apache.kafka.common.errors.NotLeaderOrFollowerException;

/**
 * The log is in another data directory now, as {@link #successor}: who holds the old one may go on there, and need not tell its client.
 * Not told, a client hears NOT_LEADER_OR_FOLLOWER and sends again.
 */
public final class LogMovedException extends NotLeaderOrFollowerException {
    private static final long serialVersionUID = 1L;
    private final transient PartitionLog left;
    private final transient PartitionLog successor;

    LogMovedException(PartitionLog left, PartitionLog successor) {
        super("The log " + successor.topicPartition() + " was moved to another data directory");
        this.left = left;
        this.successor = successor;
    }

    /** The log that was asked. */
    public PartitionLog left() {
        return left;
    }

    /** The log that has everything of the old one. */
    public PartitionLog successor() {
        return successor;
    }
}
