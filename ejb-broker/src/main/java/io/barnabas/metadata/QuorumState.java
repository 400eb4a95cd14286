package io.barnabas.metadata;

import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * The metadata log's members as the node that leads it sees them.
 *
 * @param position of the leader's log
 * @param voters all that vote, the leader among them
 * @param observers members that follow without a vote
 */
public record QuorumState(LogPosition position, List<Member> voters, List<Member> observers) {
    /** No time is known. */
    public static final long NEVER = -1;

    /**
     * A member.
     *
     * @param directoryId of its metadata directory; zero of a lone voter
     * @param endIndex after the last entry that it is known to hold
     * @param answeredMsAgo when it answered the leader last, in milliseconds before now; 0 of the leader itself, or {@link #NEVER}
     */
    public record Member(int nodeId, Uuid directoryId, long endIndex, long answeredMsAgo) {}
}
