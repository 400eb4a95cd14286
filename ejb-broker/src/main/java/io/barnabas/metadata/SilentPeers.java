package io.barnabas.metadata;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the leader talk over a new connection to a follower that it has not heard for some seconds, and who knows of no leader for so long to
 * everybody. While a network is cut, TCP tries again ever more seldom: a connection that is being opened after 1, 3, 7 and 15 seconds, one
 * that stands likewise. After the cut the follower would wait for its metadata, or the candidate for its votes, until that next try, for up
 * to half a minute; a connection that has just been begun is tried at once.
 *
 * <p>Thread: the Raft network's. It ends with them.
 */
final class SilentPeers {
    private static final Logger LOG = LoggerFactory.getLogger(SilentPeers.class);
    /** Long after the leader would have been heard, on a busy machine, too. */
    private static final long SILENCE_MS = 3_000;

    private static final long LOOK_MS = 1_500;
    /** Without a leader: so many elections may fail for other reasons, and none is to be disturbed. */
    private static final int ELECTIONS = 4;

    private final RaftEventLoops network;
    private final Supplier<RaftServer.@Nullable Division> division;
    private final int leaderlessLooksMax;
    private int leaderlessLooks;

    /** @param division this node's part of the Raft group; null while it does not run */
    SilentPeers(RaftEventLoops network, int electionTimeoutMs, Supplier<RaftServer.@Nullable Division> division) {
        this.network = network;
        this.leaderlessLooksMax = 1 + (int) (ELECTIONS * (long) electionTimeoutMs / LOOK_MS);
        this.division = division;
    }

    void begin() {
        network.schedule(this::look, LOOK_MS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        RaftServer.Division running = division.get();
        if (running != null && running.getInfo().isLeader()) {
            for (ServerRpcProto follower :
                    running.getInfo().getRoleInfoProto().getLeaderInfo().getFollowerInfoList()) {
                if (follower.getLastRpcElapsedTimeMs() >= SILENCE_MS) {
                    connectAgain(running, RaftPeerId.valueOf(follower.getId().getId()));
                }
            }
        }
        boolean leaderless = running != null && running.getInfo().getLeaderId() == null;
        leaderlessLooks = leaderless ? leaderlessLooks + 1 : 0;
        if (leaderlessLooks == leaderlessLooksMax) {
            leaderlessLooks = 0;
            for (RaftPeer peer : running.getRaftConf().getCurrentPeers()) {
                if (!peer.getId().equals(running.getId())) {
                    connectAgain(running, peer.getId());
                }
            }
        }
        begin();
    }

    /**
     * Ratis closes the former connection after it has waited up to five seconds for its calls to end, which they do not: an interrupted
     * thread does not wait.
     */
    private static void connectAgain(RaftServer.Division running, RaftPeerId peer) {
        LOG.debug("A node of the metadata is silent, and is given another connection: peer={}", peer);
        Thread.currentThread().interrupt();
        try {
            running.getRaftServer()
                    .getServerRpc()
                    .handleException(peer, new IOException("silent for " + SILENCE_MS + " ms"), true);
        } catch (RuntimeException e) { // it closes
            LOG.debug("There is no other connection: peer={}", peer, e);
        } finally {
            boolean unused = Thread.interrupted();
        }
    }
}
