package io.barnabas.metadata;

import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.thirdparty.io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import org.apache.ratis.thirdparty.io.grpc.Metadata;
import org.apache.ratis.thirdparty.io.grpc.ServerCall;
import org.apache.ratis.thirdparty.io.grpc.ServerCallHandler;
import org.apache.ratis.thirdparty.io.grpc.ServerInterceptor;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Turns away what is meant for another member of the Raft group. Ratis looks at the group alone, so that a node whose directory was lost
 * would vote, and confirm entries, in the name of the member it was: it listens at that one's address. Before Ratis' own services on the
 * voter's port; on the network's threads.
 */
final class MemberGuard implements ServerInterceptor {
    private final String self;

    MemberGuard(RaftPeerId self) {
        this.self = self.toString();
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private boolean refused;

            @Override
            public void onMessage(Q message) {
                RaftRpcRequestProto request = request(message);
                if (refused || isForAnother(request)) {
                    refuse();
                } else {
                    super.onMessage(message);
                }
            }

            @Override
            public void onHalfClose() {
                if (!refused) {
                    super.onHalfClose();
                }
            }

            private boolean isForAnother(@Nullable RaftRpcRequestProto request) {
                return request != null && !request.getReplyId().toStringUtf8().equals(self);
            }

            private void refuse() {
                if (!refused) {
                    refused = true;
                    call.close(Status.FAILED_PRECONDITION.withDescription("This is member " + self), new Metadata());
                }
            }
        };
    }

    private static @Nullable RaftRpcRequestProto request(Object message) {
        if (message instanceof AppendEntriesRequestProto append) {
            return append.getServerRequest();
        }
        if (message instanceof RequestVoteRequestProto vote) {
            return vote.getServerRequest();
        }
        if (message instanceof InstallSnapshotRequestProto snapshot) {
            return snapshot.getServerRequest();
        }
        return message instanceof StartLeaderElectionRequestProto start ? start.getServerRequest() : null;
    }
}
