package io.barnabas.grid;

import io.barnabas.config.QuorumVoter;
import io.barnabas.metadata.StartWait;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a broker that is not told who votes finds out: it takes the list that the voters in the grid were configured with, all of which must
 * say the same. It is where to ask for the metadata log, and no more: who votes is for the log to say, and a node that finds itself in the
 * list is told to have it in its own configuration. For the thread that starts the broker.
 */
public final class VoterSearch {
    private static final Logger LOG = LoggerFactory.getLogger(VoterSearch.class);
    private static final long PAUSE_MS = 100;

    private VoterSearch() {}

    /** The voters that all members name which vote; empty if there is none, or they differ. */
    static Optional<List<QuorumVoter>> among(List<GridMember> members) {
        List<List<QuorumVoter>> lists = members.stream()
                .map(GridMember::voters)
                .filter(voters -> !voters.isEmpty())
                .distinct()
                .toList();
        return lists.size() == 1 ? Optional.of(lists.get(0)) : Optional.empty();
    }

    /**
     * Waits for a voter in the grid, without a limit, and tells every ten seconds that it does.
     *
     * @param nodeId this node's
     * @param stopping asked again and again: whether to give up
     * @throws IOException if it gave up, or this node is one of the voters
     */
    public static List<QuorumVoter> await(Grid grid, int nodeId, BooleanSupplier stopping) throws IOException {
        StartWait wait = new StartWait(stopping);
        while (true) {
            List<GridMember> members = grid.members();
            Optional<List<QuorumVoter>> found = among(members);
            if (found.isPresent()) {
                check(found.get(), nodeId);
                LOG.info("The data grid tells who votes on metadata: voters={}", found.get());
                return found.get();
            }
            if (wait.isTimeToTell()) {
                LOG.warn(
                        "Waiting for voters of the metadata in the data grid, which all name the same: members={}",
                        members);
            }
            wait.rest(PAUSE_MS, "a voter was in the data grid");
        }
    }

    private static void check(List<QuorumVoter> voters, int nodeId) throws IOException {
        if (voters.stream().anyMatch(voter -> voter.nodeId() == nodeId)) {
            throw new IOException("Node " + nodeId + " is one of the voters " + voters
                    + ": a voter must be told so, name them in controller.quorum.voters");
        }
    }
}
