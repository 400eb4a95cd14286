package io.barnabas.metadata;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Collection;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotReplyProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteReplyProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionReplyProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpc;
import org.apache.ratis.server.ServerFactory;

/**
 * The network side of a Raft group that has one voter: none. Nobody may speak to such a group from outside, so no port is opened and
 * gRPC, half of Ratis's start and a dozen of its threads, is not loaded. Whoever calls it nevertheless is told that there is nobody.
 *
 * <p>Ratis makes it by its class name, so class and constructor are public.
 */
public final class LoneVoterNetwork implements RpcType {
    /** The registered way to choose it. Ratis looks its name up with the context class loader. */
    static void choose(RaftProperties properties) {
        properties.set(RaftConfigKeys.Rpc.TYPE_KEY, LoneVoterNetwork.class.getName());
    }

    @Override
    public String name() {
        return "NONE";
    }

    @Override
    public RpcFactory newFactory(Parameters parameters) {
        return new Factory(this);
    }

    private record Factory(RpcType type) implements ServerFactory {
        @Override
        public RpcType getRpcType() {
            return type;
        }

        @Override
        public RaftServerRpc newRaftServerRpc(RaftServer server) {
            return new Nobody(type);
        }
    }

    private record Nobody(RpcType type) implements RaftServerRpc {
        private static IOException nobody() {
            return new IOException("a group of one voter has no peers");
        }

        @Override
        public RpcType getRpcType() {
            return type;
        }

        @Override
        public void start() {
            // nothing to open
        }

        @Override
        public InetSocketAddress getInetSocketAddress() {
            return InetSocketAddress.createUnresolved("none", 0);
        }

        @Override
        public void addRaftPeers(Collection<RaftPeer> peers) {
            // itself alone
        }

        @Override
        public void handleException(RaftPeerId server, Exception e, boolean reconnect) {
            // no connection that could be made anew
        }

        @Override
        public RequestVoteReplyProto requestVote(RequestVoteRequestProto request) throws IOException {
            throw nobody();
        }

        @Override
        public AppendEntriesReplyProto appendEntries(AppendEntriesRequestProto request) throws IOException {
            throw nobody();
        }

        @Override
        public InstallSnapshotReplyProto installSnapshot(InstallSnapshotRequestProto request) throws IOException {
            throw nobody();
        }

        @Override
        public StartLeaderElectionReplyProto startLeaderElection(StartLeaderElectionRequestProto request)
                throws IOException {
            throw nobody();
        }

        @Override
        public void close() {
            // nothing was opened
        }
    }
}
