package io.barnabas.metadata;

import io.barnabas.metadata.QuorumState.Member;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.ratis.proto.RaftProtos;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.raftlog.RaftLog;
import org.jspecify.annotations.Nullable;

/**
 * What the leader's Raft server knows of the group's members at one moment.
 *
 * @param followers by member; one that has just joined may be missing
 */
record RatisMembers(RaftServer.Division division, Map<RaftPeerId, Follower> followers) {
    /** A follower that has answered within this time is taken for one that runs. */
    private static final long RUNS_MS = 1_000;

    private record Follower(long matchIndex, long answeredMsAgo) {}

    static RatisMembers of(RaftServer.Division division) {
        List<RaftProtos.ServerRpcProto> answers =
                division.getInfo().getRoleInfoProto().getLeaderInfo().getFollowerInfoList();
        long[] matches = division.getInfo().getFollowerMatchIndices(); // in the same order
        Map<RaftPeerId, Follower> followers = new HashMap<>();
        for (int i = 0; i < Math.min(matches.length, answers.size()); i++) {
            followers.put(
                    RaftPeerId.valueOf(answers.get(i).getId().getId()),
                    new Follower(matches[i], answers.get(i).getLastRpcElapsedTimeMs()));
        }
        return new RatisMembers(division, followers);
    }

    /** The follower that runs and has most of the log, if there is one. */
    @Nullable
    RaftPeerId heir() {
        RaftPeerId best = null;
        long most = Long.MIN_VALUE;
        for (RaftPeer voter : voters()) {
            Follower follower = followers.get(voter.getId());
            if (follower != null && runs(voter.getId()) && follower.matchIndex > most) {
                best = voter.getId();
                most = follower.matchIndex;
            }
        }
        return best;
    }

    /** The follower that votes, is of that node and runs, if there is one. */
    @Nullable
    RaftPeerId running(int nodeId) {
        return voters().stream()
                .map(RaftPeer::getId)
                .filter(id -> RatisConfiguration.nodeId(id) == nodeId && !id.equals(division.getId()) && runs(id))
                .findFirst()
                .orElse(null);
    }

    Collection<RaftPeer> voters() {
        return division.getRaftConf().getCurrentPeers();
    }

    Collection<RaftPeer> observers() {
        return division.getRaftConf().getCurrentPeers(RaftProtos.RaftPeerRole.LISTENER);
    }

    /** Whether a member has answered lately; the leader has. */
    boolean runs(RaftPeerId id) {
        Follower follower = followers.get(id);
        return id.equals(division.getId()) || (follower != null && follower.answeredMsAgo < RUNS_MS);
    }

    QuorumState state() {
        RaftLog log = division.getRaftLog();
        long committed = log.getLastCommittedIndex() + 1;
        LogPosition position = new LogPosition(
                division.getInfo().getCurrentTerm(), Math.max(committed, log.getNextIndex()), committed);
        return new QuorumState(position, members(voters(), position), members(observers(), position));
    }

    private List<Member> members(Collection<RaftPeer> peers, LogPosition position) {
        return peers.stream().map(peer -> member(peer.getId(), position)).toList();
    }

    private Member member(RaftPeerId id, LogPosition position) {
        Follower follower = followers.get(id);
        boolean leader = id.equals(division.getId());
        long end = follower == null ? 0 : Math.max(0, follower.matchIndex + 1);
        long answered = follower == null ? QuorumState.NEVER : follower.answeredMsAgo;
        return new Member(
                RatisConfiguration.nodeId(id),
                RatisConfiguration.directoryId(id),
                leader ? position.endIndex() : end,
                leader ? 0 : answered);
    }
}
