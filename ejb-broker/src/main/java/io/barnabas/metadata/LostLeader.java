package io.barnabas.metadata;

import java.io.IOException;
import java.net.ConnectException;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.netty.channel.ConnectTimeoutException;
import org.apache.ratis.util.ProtoUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands for election as soon as the leader's process has ended, and not only after the election time-out, which has to bear with a busy
 * machine. The sign is twofold: a connection on which the leader sent its entries broke, and nobody listens at its address any more. The
 * voters of higher rank wait a little, so that not all stand at once. It is only sooner than the time-out, and as safe: an election
 * decides.
 *
 * <p>Thread: the Raft network's.
 */
final class LostLeader implements ServerInterceptor {
    private static final Logger LOG = LoggerFactory.getLogger(LostLeader.class);
    private static final long RANK_MS = 200;

    private final RaftEventLoops network;
    private final Supplier<RaftServer.@Nullable Division> division;

    /** @param division this node's part of the Raft group; null while it does not run */
    LostLeader(RaftEventLoops network, Supplier<RaftServer.@Nullable Division> division) {
        this.network = network;
        this.division = division;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private @Nullable RaftPeerId sender;

            @Override
            public void onMessage(Q message) {
                if (sender == null && message instanceof AppendEntriesRequestProto append) {
                    sender = RaftPeerId.valueOf(append.getServerRequest().getRequestorId());
                }
                super.onMessage(message);
            }

            @Override
            public void onCancel() {
                super.onCancel();
                if (sender != null) {
                    onBroken(sender);
                }
            }
        };
    }

    private void onBroken(RaftPeerId sender) {
        RaftServer.Division voter = following(sender);
        if (voter == null) {
            return;
        }
        List<RaftPeerId> others = voter.getRaftConf().getCurrentPeers().stream()
                .map(RaftPeer::getId)
                .filter(id -> !id.equals(sender))
                .sorted(Comparator.comparing(RaftPeerId::toString))
                .toList();
        int rank = Math.max(0, others.indexOf(voter.getId()));
        network.schedule(() -> probe(sender), rank * RANK_MS, TimeUnit.MILLISECONDS);
    }

    private void probe(RaftPeerId leader) {
        RaftServer.Division voter = following(leader);
        RaftPeer peer = voter == null ? null : voter.getRaftConf().getPeer(leader);
        if (peer != null) {
            network.connect(peer.getAddress(), failure -> {
                if (failure instanceof ConnectException && !(failure instanceof ConnectTimeoutException)) {
                    stand(leader);
                }
            });
        }
    }

    private void stand(RaftPeerId lost) {
        RaftServer.Division voter = following(lost);
        if (voter == null) {
            return;
        }
        TermIndex last = voter.getRaftLog().getLastEntryTermIndex();
        long term = voter.getInfo().getCurrentTerm();
        if (last == null || last.getTerm() != term) { // it led for a moment only; Ratis wants an entry of its
            return;
        }
        LOG.info("The leader of the metadata is gone, standing for election: leader={} term={}", lost, term);
        try {
            voter.getRaftServer()
                    .startLeaderElection(StartLeaderElectionRequestProto.newBuilder()
                            .setServerRequest(RaftRpcRequestProto.newBuilder()
                                    .setRequestorId(lost.toByteString())
                                    .setReplyId(voter.getId().toByteString())
                                    .setRaftGroupId(ProtoUtils.toRaftGroupIdProtoBuilder(
                                            voter.getGroup().getGroupId())))
                            .setLeaderLastEntry(last.toProto())
                            .build());
        } catch (IOException | RuntimeException e) {
            LOG.info("Not stood for election: leader={}", lost, e);
        }
    }

    /** This voter, if it follows that leader; null if it does not. */
    private RaftServer.@Nullable Division following(RaftPeerId leader) {
        RaftServer.Division running = division.get();
        boolean follows = running != null
                && running.getInfo().isFollower()
                && leader.equals(running.getInfo().getLeaderId());
        return follows ? running : null;
    }
}
