package io.barnabas.metadata;

import io.barnabas.metadata.RatisSettings.Voter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;
import org.apache.ratis.thirdparty.io.grpc.CallOptions;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How voters that start for the first time find each other, before there is a Raft group. Each makes a random id for its directory and
 * keeps it, tells it to the others, and when it has heard all of them it keeps the {@link VoterSet}, from which the cluster's id and the Raft
 * group's follow. So the first start of a quorum needs all its voters; later ones a majority.
 *
 * <p>A voter that hears of a set from another takes that. If it is in it with another directory than its present one, its disk was lost
 * since: it has forgotten what it promised, and must not vote (the others may need its former vote to know what was committed). It follows
 * the log without a vote, so that all its data comes back, until it is added to the voters.
 *
 * <p>Two voters cannot keep different sets and yet form one group, since the group's id is the set's. On the thread that opens
 * {@link MetadataNode}; before it {@link MetadataDirectory}, after it {@link RatisMetadataLog}.
 */
final class VoterAgreement {
    private static final Logger LOG = LoggerFactory.getLogger(VoterAgreement.class);
    private static final long ASK_MS = 1_000;
    private static final long PAUSE_MS = 50;

    private final Voter self;
    private final RatisSettings.@Nullable Keys keys;
    private final List<Voter> configured;
    private final BooleanSupplier stopping;
    private final String ids;
    private final boolean votes;

    /**
     * @param configured all voters, with their directories unknown
     * @param self this node, in its directory; if it is none of the voters it only listens to what they agree on
     * @param keys what nodes know each other by; null if they talk in the clear
     * @param stopping asked again and again while there is nothing but waiting: whether to give up
     */
    VoterAgreement(List<Voter> configured, Voter self, RatisSettings.@Nullable Keys keys, BooleanSupplier stopping) {
        this.keys = keys;
        this.configured = configured;
        this.self = self;
        this.votes = configured.stream().anyMatch(voter -> voter.nodeId() == self.nodeId());
        this.stopping = stopping;
        this.ids = ids(configured);
    }

    static String ids(List<Voter> voters) {
        return voters.stream().map(Voter::nodeId).sorted().map(String::valueOf).collect(Collectors.joining(","));
    }

    /**
     * Waits for the others, without a limit, and tells every ten seconds for whom.
     *
     * @throws IOException if the port cannot be used, or {@code stopping} said so
     */
    Found reach() throws IOException {
        RaftThreads.begin();
        RaftEventLoops network = new RaftEventLoops(keys);
        List<ManagedChannel> channels = new ArrayList<>();
        Server server = null;
        Found agreed = null;
        try {
            if (votes) {
                VoterIntroduction introduction =
                        new VoterIntroduction(self.nodeId(), self.directoryId(), ids, "", null, Incarnation.FIRST);
                server = network.server(self.host(), self.port(), VoterIntroduction.service(() -> introduction));
                server.start();
            }
            for (Voter voter : others()) {
                channels.add(network.channel(voter.host(), voter.port()));
            }
            agreed = await(channels);
            return agreed;
        } catch (IOException e) {
            throw new IOException(
                    "Voter " + self.nodeId() + " cannot meet the others at " + self.host() + ":" + self.port() + ": "
                            + e.getMessage(),
                    e);
        } finally {
            channels.forEach(ManagedChannel::shutdownNow);
            if (server != null) {
                server.shutdownNow();
            }
            network.close();
            if (agreed == null) {
                RaftThreads.end(null);
            } else {
                RaftThreads.handOver();
            }
        }
    }

    /** What the other voters say of themselves, asked at once; those that do not answer within a second are not among them. */
    List<VoterIntroduction> present() {
        RaftThreads.begin();
        try (RaftEventLoops network = new RaftEventLoops(keys)) {
            return others().stream()
                    .map(voter ->
                            VoterIntroduction.ask(network, voter).handle((found, e) -> Optional.ofNullable(found)))
                    .toList()
                    .stream()
                    .map(CompletableFuture::join)
                    .flatMap(Optional::stream)
                    .toList();
        } finally {
            RaftThreads.handOver();
        }
    }

    private List<Voter> others() {
        return configured.stream()
                .filter(voter -> voter.nodeId() != self.nodeId())
                .toList();
    }

    private Found await(List<ManagedChannel> channels) throws IOException {
        StartWait wait = new StartWait(stopping);
        while (true) {
            Round round = new Round();
            for (int i = 0; i < channels.size(); i++) {
                round.ask(others().get(i), channels.get(i));
            }
            Found found = round.found();
            if (found != null) {
                tell(found);
                return found;
            }
            if (wait.isTimeToTell()) {
                LOG.warn("Waiting for the voters of the metadata: {}", round.reasons);
            }
            wait.rest(PAUSE_MS, "the others were there");
        }
    }

    private void tell(Found found) {
        LOG.info("The voters of the metadata are known: voters={} clusterId={}", found.voters, found.clusterId);
        if (votes && !found.voters.contains(self.nodeId(), self.directoryId())) {
            LOG.warn(
                    "This node has lost its vote on metadata with its directory, until it is added to the voters: node={} directoryId={}",
                    self.nodeId(),
                    self.directoryId());
        }
    }

    /**
     * What was agreed on.
     *
     * @param voters that the cluster began with, this node among them, its directory perhaps not
     */
    record Found(VoterSet voters, String clusterId, Incarnation incarnation) {}

    /** What was heard when each was asked once. */
    private final class Round {
        private final List<VoterSet.Voter> heard = new ArrayList<>();
        private final List<String> reasons = new ArrayList<>();
        private @Nullable Found theirs;

        Round() {
            heard.add(new VoterSet.Voter(self.nodeId(), self.directoryId()));
        }

        void ask(Voter voter, ManagedChannel channel) {
            String name = "node " + voter.nodeId() + " at " + voter.host() + ":" + voter.port() + " ";
            VoterIntroduction answer;
            try {
                answer = VoterIntroduction.ask(
                        channel, CallOptions.DEFAULT.withDeadlineAfter(ASK_MS, TimeUnit.MILLISECONDS));
            } catch (RuntimeException e) {
                channel.resetConnectBackoff();
                reasons.add(name + (hasAnotherKey(e) ? "has another barnabas.cluster.key" : "does not answer"));
                return;
            }
            if (answer.nodeId() != voter.nodeId()) {
                reasons.add(name + "is node " + answer.nodeId());
            } else if (!answer.configured().equals(ids)) {
                reasons.add(name + "is configured with voters " + answer.configured() + ", this node with " + ids);
            } else if (answer.agreed() != null) {
                theirs = newer(theirs, new Found(answer.agreed(), answer.clusterId(), answer.incarnation()));
            } else {
                heard.add(new VoterSet.Voter(answer.nodeId(), answer.directoryId()));
            }
        }

        private static boolean hasAnotherKey(Throwable failure) {
            Throwable cause = failure;
            while (cause != null && !(cause instanceof SSLException)) {
                cause = cause.getCause();
            }
            return cause != null;
        }

        private static Found newer(@Nullable Found one, Found other) {
            return one == null || one.incarnation.number() < other.incarnation.number() ? other : one;
        }

        @Nullable
        Found found() {
            if (theirs != null || !votes || heard.size() < configured.size()) {
                return theirs;
            }
            VoterSet all = new VoterSet(heard);
            return new Found(all, all.clusterId(), Incarnation.FIRST);
        }
    }

    /** The configured voters with their directories. */
    static List<Voter> withDirectories(List<Voter> configured, VoterSet set) {
        return configured.stream()
                .map(voter -> voter.inDirectory(set.directoryId(voter.nodeId())))
                .toList();
    }
}
