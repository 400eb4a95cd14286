package io.barnabas.request;

import io.barnabas.port.Responder;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InconsistentClusterIdException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.AddRaftVoterRequestData;
import org.apache.kafka.common.message.AddRaftVoterResponseData;
import org.apache.kafka.common.message.RemoveRaftVoterRequestData;
import org.apache.kafka.common.message.RemoveRaftVoterResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/**
 * Changes of who votes on metadata (KIP-853), one at a time. A voter is a node and its directory; the addresses are those of
 * {@code controller.quorum.voters}, so that the listeners in a request say nothing here. An addition of a node whose former directory no longer
 * answers takes that one's place, which in Kafka takes a removal first: so a lost disk is one command.
 */
final class VoterHandlers {
    private static final int REMOVE_TIMEOUT_MS = 30_000;

    private VoterHandlers() {}

    static List<ApiHandler<?>> of(ControlPlane plane) {
        return List.of(new AddRaftVoter(plane), new RemoveRaftVoter(plane));
    }

    private record AddRaftVoter(ControlPlane plane) implements ApiHandler<AddRaftVoterRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.ADD_RAFT_VOTER;
        }

        @Override
        public void handle(AddRaftVoterRequestData request, RequestContext context, Responder responder) {
            CompletableFuture<@Nullable Void> outcome =
                    checked(plane, request.clusterId(), request.voterDirectoryId(), () -> plane.controller()
                            .addVoter(request.voterId(), request.voterDirectoryId(), request.timeoutMs()));
            plane.answerOrForward(outcome, context, responder, done -> new AddRaftVoterResponseData());
        }
    }

    private record RemoveRaftVoter(ControlPlane plane) implements ApiHandler<RemoveRaftVoterRequestData> {
        @Override
        public ApiKeys api() {
            return ApiKeys.REMOVE_RAFT_VOTER;
        }

        @Override
        public void handle(RemoveRaftVoterRequestData request, RequestContext context, Responder responder) {
            CompletableFuture<@Nullable Void> outcome =
                    checked(plane, request.clusterId(), request.voterDirectoryId(), () -> plane.controller()
                            .removeVoter(request.voterId(), request.voterDirectoryId(), REMOVE_TIMEOUT_MS));
            plane.answerOrForward(outcome, context, responder, done -> new RemoveRaftVoterResponseData());
        }
    }

    private static CompletableFuture<@Nullable Void> checked(
            ControlPlane plane,
            @Nullable String clusterId,
            Uuid directoryId,
            Supplier<CompletableFuture<@Nullable Void>> change) {
        String here = plane.metadata().image().clusterId();
        if (clusterId != null && !clusterId.equals(here)) {
            return CompletableFuture.failedFuture(
                    new InconsistentClusterIdException("This is cluster " + here + ", not " + clusterId));
        }
        if (directoryId.equals(Uuid.ZERO_UUID)) {
            return CompletableFuture.failedFuture(new InvalidRequestException("A voter has a directory id"));
        }
        return change.get();
    }
}
