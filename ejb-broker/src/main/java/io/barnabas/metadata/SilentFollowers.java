package io.barnabas.metadata;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the leader talk over a new connection to a follower that it has not heard for some seconds. While a network is cut, TCP tries again
 * ever more seldom: a connection that is being opened after 1, 3, 7 and 15 seconds, one that stands likewise. After the cut the follower
 * would wait for its metadata until that next try, for up to half a minute; a connection that has just been begun is tried at once.
 *
 * <p>Thread: the Raft network's. It ends with them.
 */
final class SilentFollowers {
    private static final Logger LOG = LoggerFactory.getLogger(SilentFollowers.class);
    /** Long after the leader would have been heard, on a busy machine, too. */
    private static final long SILENCE_MS = 3_000;

    private static final long LOOK_MS = 1_500;

    private final RaftEventLoops network;
    private final Supplier<RaftServer.@Nullable Division> division;

    /** @param division this node's part of the Raft group; null while it does not run */
    SilentFollowers(RaftEventLoops network, Supplier<RaftServer.@Nullable Division> division) {
        this.network = network;
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
        begin();
    }

    /**
     * Ratis closes the former connection after it has waited up to five seconds for its calls to end, which they do not: an interrupted
     * thread does not wait.
     */
    private static void connectAgain(RaftServer.Division running, RaftPeerId follower) {
        LOG.debug("A follower of the metadata is silent, and gets another connection: follower={}", follower);
        Thread.currentThread().interrupt();
        try {
            running.getRaftServer()
                    .getServerRpc()
                    .handleException(follower, new IOException("silent for " + SILENCE_MS + " ms"), true);
        } catch (RuntimeException e) { // it closes
            LOG.debug("There is no other connection: follower={}", follower, e);
        } finally {
            boolean unused = Thread.interrupted();
        }
    }
}
