package io.barnabas.metadata;

import java.nio.file.Path;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link RatisMetadataLog} is opened with.
 *
 * @param directory holds the log and its snapshots; of this node alone
 * @param clusterId names the Raft group: a log of another cluster is not taken for this one's
 * @param incarnation of the quorum; names the Raft group, too
 * @param self this node, with its metadata directory; zero of a lone voter. If the voters name another directory for it, it has no vote
 *     until it is added; if they do not name it at all, it is an observer
 * @param voters all that vote at first, 1, 3 or 5; later the log itself knows
 * @param electionTimeoutMs a follower that hears nothing of a leader for this long, up to some three times as long, stands for election
 * @param snapshotEntries a snapshot is taken after this many entries, and at a clean stop
 * @param keys what nodes know each other by; null if they talk in the clear
 */
public record RatisSettings(
        Path directory,
        String clusterId,
        Incarnation incarnation,
        Voter self,
        List<Voter> voters,
        int electionTimeoutMs,
        int snapshotEntries,
        @Nullable Keys keys) {
    /** Entries between two snapshots unless told otherwise: read and replayed in a fraction of a second at start. */
    public static final int SNAPSHOT_ENTRIES = 5_000;

    /**
     * Election time-out unless told otherwise: a busy machine, or a collection of garbage, does not cost the lead. {@link LostLeader} knows
     * sooner of a process that has ended.
     */
    public static final int ELECTION_TIMEOUT_MS = 1_000;

    /**
     * A node that votes, or observes.
     *
     * @param port where its Raft server listens; 0 means one that is free, which only a lone voter may have
     * @param directoryId of its metadata directory, the other half of its identity; zero of a lone voter, which needs none, and while it is
     *     not known
     */
    public record Voter(int nodeId, String host, int port, Uuid directoryId) {
        /** A voter whose directory is not known, or that is alone. */
        public Voter(int nodeId, String host, int port) {
            this(nodeId, host, port, Uuid.ZERO_UUID);
        }

        Voter inDirectory(Uuid id) {
            return new Voter(nodeId, host, port, id);
        }
    }

    /**
     * What a node shows to the others, with TLS, and whom it trusts.
     *
     * @param own its key and certificate
     * @param trusted tells who has a key of the cluster
     * @param protocol the one version of TLS that they speak, by its name in Java
     */
    public record Keys(KeyManager own, TrustManager trusted, String protocol) {}

    /** One voter, alone, on a free port of the loopback address. */
    public static RatisSettings oneNode(Path directory, String clusterId, int nodeId) {
        Voter self = new Voter(nodeId, "127.0.0.1", 0);
        return new RatisSettings(
                directory,
                clusterId,
                Incarnation.FIRST,
                self,
                List.of(self),
                ELECTION_TIMEOUT_MS,
                SNAPSHOT_ENTRIES,
                null);
    }

    /** Whether this node is the only voter. */
    boolean alone() {
        return voters.size() == 1 && !observes();
    }

    /**
     * Whether this node, in the directory that it has, is none of the voters that the cluster began with: it follows the log, and has no vote
     * unless it was made a voter since. So is every node after a recovery by force, but for the one that its own log says otherwise.
     */
    boolean observes() {
        return !incarnation.isFirst()
                || voters.stream()
                        .noneMatch(voter -> voter.nodeId() == self.nodeId()
                                && voter.directoryId().equals(self.directoryId()));
    }

    int nodeId() {
        return self.nodeId();
    }
}
