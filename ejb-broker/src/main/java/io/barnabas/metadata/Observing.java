package io.barnabas.metadata;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.thirdparty.io.grpc.MethodDescriptor;
import org.apache.ratis.thirdparty.io.grpc.ServerServiceDefinition;
import org.apache.ratis.thirdparty.io.grpc.Status;
import org.apache.ratis.thirdparty.io.grpc.stub.ServerCalls;
import org.apache.ratis.thirdparty.io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node without a vote comes to have the metadata log: it asks the voters, one after another, and the leader makes it one of those it
 * sends its entries to. That is part of the log, so it is asked for once in the life of its directory, and again only if no leader is heard.
 *
 * <p>Thread: the Raft network's. It ends with them.
 */
final class Observing {
    private static final Logger LOG = LoggerFactory.getLogger(Observing.class);
    private static final long LOOK_MS = 500;
    private static final long ANSWER_MS = 10_000;
    /** Of silence of a leader, until it is asked for again. */
    private static final long SILENCE_MS = 5_000;

    private static final int FIELDS = 5;

    private static final MethodDescriptor<byte[], byte[]> METHOD =
            VoterIntroduction.method("barnabas.Observer", "Observe");

    private final RatisSettings settings;
    private final RaftEventLoops network;
    private final Supplier<RaftServer.@Nullable Division> division;
    private int asked;

    /** @param division this node's part of the Raft group; null while it does not run */
    Observing(RatisSettings settings, RaftEventLoops network, Supplier<RaftServer.@Nullable Division> division) {
        this.settings = settings;
        this.network = network;
        this.division = division;
    }

    /**
     * The voter's side.
     *
     * @param clusterId nodes of other clusters are refused
     * @param admit lets a node have the log, or fails
     */
    static ServerServiceDefinition service(
            String clusterId, Function<RatisSettings.Voter, CompletableFuture<@Nullable Void>> admit) {
        return ServerServiceDefinition.builder("barnabas.Observer")
                .addMethod(METHOD, ServerCalls.asyncUnaryCall((request, answer) -> {
                    CompletableFuture<@Nullable Void> unused =
                            admit.apply(decode(request, clusterId)).whenComplete((admitted, e) -> answer(answer, e));
                }))
                .build();
    }

    private static void answer(StreamObserver<byte[]> answer, @Nullable Throwable e) {
        if (e == null) {
            answer.onNext(new byte[0]);
            answer.onCompleted();
        } else {
            answer.onError(Status.UNAVAILABLE.withDescription(e.toString()).asException());
        }
    }

    /** Begins to see to it that this node gets the log. */
    void begin() {
        network.schedule(this::look, 0, TimeUnit.MILLISECONDS);
    }

    private void look() {
        if (hearsALeader()) {
            network.schedule(this::look, LOOK_MS, TimeUnit.MILLISECONDS);
        } else {
            ask();
        }
    }

    private boolean hearsALeader() {
        RaftServer.Division running = division.get();
        DivisionInfo info = running == null ? null : running.getInfo();
        return info != null
                && info.getLeaderId() != null
                && info.getRoleInfoProto().getFollowerInfo().getLeaderInfo().getLastRpcElapsedTimeMs() < SILENCE_MS;
    }

    private void ask() {
        List<RatisSettings.Voter> voters = settings.voters();
        RatisSettings.Voter voter = voters.get(asked++ % voters.size());
        CompletableFuture<byte[]> unused = network.ask(voter, METHOD, encode(settings), ANSWER_MS)
                .whenComplete((nothing, e) -> {
                    if (e == null) {
                        LOG.info("This node has no vote on metadata, and observes: node={}", settings.nodeId());
                    } else {
                        LOG.debug("Node {} was not admitted by {}", settings.nodeId(), voter, e);
                    }
                    network.schedule(this::look, LOOK_MS, TimeUnit.MILLISECONDS);
                });
    }

    private static byte[] encode(RatisSettings settings) {
        RatisSettings.Voter self = settings.self();
        return String.join(
                        "\n",
                        Integer.toString(self.nodeId()),
                        self.directoryId().toString(),
                        self.host(),
                        Integer.toString(self.port()),
                        settings.clusterId())
                .getBytes(StandardCharsets.UTF_8);
    }

    private static RatisSettings.Voter decode(byte[] request, String clusterId) {
        String[] lines = new String(request, StandardCharsets.UTF_8).split("\n", -1);
        if (lines.length != FIELDS || !lines[FIELDS - 1].equals(clusterId)) {
            throw new IllegalArgumentException("Not a request of an observer of cluster " + clusterId);
        }
        return new RatisSettings.Voter(
                Integer.parseInt(lines[0]), lines[2], Integer.parseInt(lines[3]), Uuid.fromString(lines[1]));
    }
}
