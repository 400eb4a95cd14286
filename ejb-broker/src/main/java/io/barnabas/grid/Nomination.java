package io.barnabas.grid;

import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.QuorumState;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * Whom the controller should give its lead to: the oldest member of the grid that votes, serves as a broker and has all of the log. Who
 * has been there longest is the least likely to go next, and all that see the same members name the same.
 *
 * <p>It is a wish, not a need: it waits until nothing has been amiss for a while, and has a long rest after each time, so that members
 * that see different grids cannot pass the lead to and fro. The Raft group decides whether the nominee leads. For one thread.
 */
final class Nomination {
    /** So long nothing may have been amiss, nor anybody come or gone. */
    static final long CALM_MS = TimeUnit.SECONDS.toMillis(10);
    /** Between two times that this node gives its lead away. */
    static final long REST_MS = TimeUnit.MINUTES.toMillis(5);
    /** A voter that has answered within this time is there, also on a busy machine. */
    private static final long ANSWERS_MS = 3_000;
    /** Entries that a voter may lack while the log grows, and has caught up all the same. */
    private static final long BEHIND_MAX = 100;

    private final int nodeId;
    private List<Integer> seen = List.of();
    private long calmSinceMs;
    private long restUntilMs = Long.MIN_VALUE;

    /** @param nodeId this node's */
    Nomination(int nodeId) {
        this.nodeId = nodeId;
    }

    /** This node does not lead, or cannot tell: what was seen says nothing of the time after. */
    void forget() {
        seen = List.of();
    }

    /**
     * Looks once.
     *
     * @param nowMs by a clock that does not go back
     * @param members of the grid, who has been there longest first
     * @param quorum as this node sees it, which leads
     * @return whom to give the lead to now, if to anybody
     */
    OptionalInt look(long nowMs, List<GridMember> members, MetadataImage image, QuorumState quorum) {
        List<Integer> present = members.stream().map(GridMember::nodeId).toList();
        if (!isWell(present, image, quorum)) {
            forget();
            return OptionalInt.empty();
        }
        if (!present.equals(seen)) {
            seen = present;
            calmSinceMs = nowMs;
        }
        OptionalInt nominee = present.stream()
                .filter(id -> isVoter(id, quorum) && image.broker(id).isPresent())
                .mapToInt(id -> id)
                .findFirst();
        if (nominee.isEmpty() || nominee.getAsInt() == nodeId || nowMs - calmSinceMs < CALM_MS || nowMs < restUntilMs) {
            return OptionalInt.empty();
        }
        restUntilMs = nowMs + REST_MS;
        return nominee;
    }

    /** Whether every broker serves, and every voter is there, in the grid, too, and has the log. */
    private static boolean isWell(List<Integer> present, MetadataImage image, QuorumState quorum) {
        return new HashSet<>(present).size() == present.size()
                && image.brokers().stream().allMatch(Nomination::serves)
                && quorum.voters().stream()
                        .allMatch(voter -> present.contains(voter.nodeId())
                                && voter.answeredMsAgo() >= 0
                                && voter.answeredMsAgo() < ANSWERS_MS
                                && voter.endIndex() + BEHIND_MAX
                                        >= quorum.position().committedIndex());
    }

    private static boolean serves(BrokerImage broker) {
        return !broker.fenced() && !broker.inControlledShutdown();
    }

    private static boolean isVoter(int id, QuorumState quorum) {
        return quorum.voters().stream().anyMatch(voter -> voter.nodeId() == id);
    }
}
