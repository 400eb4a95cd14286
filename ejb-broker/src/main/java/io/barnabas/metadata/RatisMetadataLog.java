package io.barnabas.metadata;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.ReconfigurationInProgressException;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.ExitUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metadata log of production: one Raft group of Apache Ratis. An entry is committed when a majority of the voters has forced it to
 * its disk; with one voter that is this node alone, by the same code. Local proposals go to the local server directly, without its
 * network side.
 *
 * <p>Thread: {@link #propose} may be called by any; the state machine is called on Ratis's threads.
 */
public final class RatisMetadataLog implements MetadataLog {
    private static final Logger LOG = LoggerFactory.getLogger(RatisMetadataLog.class);

    /** Held, so that the level stays: at its own default Ratis tells three hundred lines a start. */
    private static final java.util.logging.Logger RATIS = java.util.logging.Logger.getLogger("org.apache.ratis");

    static {
        if (RATIS.getLevel() == null) {
            RATIS.setLevel(java.util.logging.Level.WARNING);
        }
    }

    /** They tell of a voter that is away every few seconds, with its stack trace. */
    private static final List<java.util.logging.Logger> CHATTY = Stream.of(
                    "org.apache.ratis.grpc.server.GrpcLogAppender",
                    "org.apache.ratis.grpc.server.GrpcServerProtocolService",
                    "org.apache.ratis.server.impl.TransferLeadership",
                    "org.apache.ratis.util.LogUtils")
            .map(java.util.logging.Logger::getLogger)
            .toList();

    static {
        CHATTY.forEach(logger -> logger.setLevel(java.util.logging.Level.SEVERE));
    }

    private static final long HAND_OVER_MS = 500;
    private static final int ADMIT_MS = 10_000;
    private static final int CHANGE_AGAIN_MS = 100;

    private final RatisSettings settings;
    private final JournalRoom room;
    private final RaftGroupId groupId;
    private final ClientId clientId = ClientId.randomId();
    private final AtomicLong callIds = new AtomicLong();
    private final AtomicBoolean givingUp = new AtomicBoolean();
    private volatile @Nullable RaftEventLoops loops; // written by the thread that starts and closes
    private volatile @Nullable RaftServer server;

    public RatisMetadataLog(RatisSettings settings) {
        this(settings, JournalRoom.of(settings.directory()));
    }

    RatisMetadataLog(RatisSettings settings, JournalRoom room) {
        this.settings = settings;
        this.room = room;
        this.groupId = new RatisConfiguration(settings).groupId();
    }

    @Override
    public void start(StateMachine stateMachine) throws IOException {
        tame();
        JournalTail.mend(settings.directory());
        RaftServer started;
        RaftThreads.begin();
        RaftEventLoops network = new RaftEventLoops(settings.keys());
        loops = network;
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(RatisMetadataLog.class.getClassLoader());
        try {
            started = newServer(stateMachine, network);
        } catch (IOException e) {
            close();
            throw e;
        } catch (RuntimeException e) {
            close();
            throw unreadable(e);
        } finally {
            thread.setContextClassLoader(before);
        }
        // Before the start: a lone voter may lead, and be asked, before start() returns.
        server = started;
        try {
            started.start();
        } catch (IOException | RuntimeException e) {
            close();
            throw unreadable(e);
        }
        new SilentPeers(network, settings.electionTimeoutMs(), this::division).begin();
        if (settings.observes()) {
            new Observing(settings, network, this::division).begin();
        }
        LOG.info("Metadata log started: directory={} node={}", settings.directory(), settings.nodeId());
    }

    /**
     * A failed log is told to the state machine, which knows what to stop; Ratis would end the whole server process. It also makes
     * itself the JVM's handler of uncaught exceptions, which is the container's to choose, and would hold this class loader for ever.
     */
    private static void tame() {
        Thread.UncaughtExceptionHandler ofTheServer = Thread.getDefaultUncaughtExceptionHandler();
        ExitUtils.disableSystemExit();
        Thread.setDefaultUncaughtExceptionHandler(ofTheServer);
    }

    private RaftServer newServer(StateMachine stateMachine, RaftEventLoops network) throws IOException {
        RatisConfiguration configuration = new RatisConfiguration(settings);
        return RaftServer.newBuilder()
                .setServerId(RatisConfiguration.peerId(settings.self()))
                .setGroup(configuration.group())
                .setProperties(configuration.properties())
                .setParameters(network.parameters(
                        new MemberGuard(RatisConfiguration.peerId(settings.self())),
                        new LostLeader(network, this::division),
                        List.of(
                                VoterIntroduction.service(this::introduction),
                                Observing.service(settings.clusterId(), this::admit))))
                .setOption(RaftStorage.StartupOption.RECOVER)
                .setStateMachine(new RatisStateMachine(stateMachine, settings.nodeId()))
                .build();
    }

    @Override
    public void handOver() {
        RaftServer running = server;
        if (running != null) {
            handOver(running);
        }
    }

    /**
     * Makes the voter that is furthest the leader, if this is it and there are others: they need not find out by a time-out that it is
     * gone. It is only a courtesy, so it has little time.
     */
    private void handOver(RaftServer running) {
        if (settings.alone()) {
            return;
        }
        try {
            transferLead(running, RatisMembers::heir, "it stops").get(2 * HAND_OVER_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.info("The lead of the metadata was not handed over: node={}", settings.nodeId(), e);
        }
    }

    /**
     * Asks another voter to lead, if this one does.
     *
     * @param choice whom; null if nobody
     * @return whether it does; fails if that cannot be found out
     */
    private CompletableFuture<Boolean> transferLead(
            RaftServer running, Function<RatisMembers, @Nullable RaftPeerId> choice, String reason) {
        try {
            RaftServer.Division division = running.getDivision(groupId);
            RaftPeerId heir = division.getInfo().isLeader() ? choice.apply(RatisMembers.of(division)) : null;
            if (heir == null) {
                return CompletableFuture.completedFuture(false);
            }
            TransferLeadershipRequest request = new TransferLeadershipRequest(
                    clientId, running.getId(), groupId, callIds.incrementAndGet(), heir, HAND_OVER_MS);
            return running.transferLeadershipAsync(request).thenApply(reply -> {
                LOG.info(
                        "The lead of the metadata was handed over: node={} to={} done={} reason={}",
                        settings.nodeId(),
                        heir,
                        reply.isSuccess(),
                        reason);
                return reply.isSuccess();
            });
        } catch (IOException | RuntimeException e) { // it closes
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public CompletableFuture<Boolean> transferLead(int nodeId) {
        RaftServer running = server;
        return running == null
                ? CompletableFuture.completedFuture(false)
                : transferLead(running, members -> members.running(nodeId), "another is nominated");
    }

    private VoterIntroduction introduction() {
        List<RatisSettings.Voter> voters = settings.voters();
        return new VoterIntroduction(
                settings.nodeId(),
                settings.self().directoryId(),
                VoterAgreement.ids(voters),
                settings.clusterId(),
                new VoterSet(voters.stream()
                        .map(voter -> new VoterSet.Voter(voter.nodeId(), voter.directoryId()))
                        .toList()),
                settings.incarnation());
    }

    private IOException unreadable(Exception e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new IOException(
                "The metadata journal in " + settings.directory() + " cannot be started: " + cause.getMessage(), e);
    }

    @Override
    public CompletableFuture<Long> propose(byte[] entry) {
        RaftServer running = server;
        if (running == null) {
            return CompletableFuture.failedFuture(new NotControllerException("The metadata log does not run"));
        }
        try {
            room.check(entry.length);
        } catch (KafkaStorageException e) {
            giveUpLead(running);
            return CompletableFuture.failedFuture(e);
        }
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(clientId)
                .setServerId(running.getId())
                .setGroupId(groupId)
                .setCallId(callIds.incrementAndGet())
                .setMessage(Message.valueOf(UnsafeByteOperations.unsafeWrap(entry)))
                .setType(RaftClientRequest.writeRequestType())
                .build();
        try {
            return running.submitClientRequestAsync(request).handle(RatisMetadataLog::index);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(outcomeUnknown(e));
        }
    }

    /** Another voter's disk may have room: so it is asked to lead, by the way. */
    private void giveUpLead(RaftServer running) {
        if (settings.alone() || !givingUp.compareAndSet(false, true)) {
            return;
        }
        CompletableFuture<Boolean> unused = transferLead(running, RatisMembers::heir, "its disk is full")
                .whenComplete((done, e) -> givingUp.set(false));
    }

    private static Long index(@Nullable RaftClientReply reply, @Nullable Throwable e) {
        if (reply == null || e != null) {
            throw outcomeUnknown(e);
        }
        if (!reply.isSuccess()) {
            throw outcomeUnknown(reply.getException());
        }
        if (!RatisStateMachine.TOOK_EFFECT
                .getContent()
                .equals(reply.getMessage().getContent())) {
            throw new NotControllerException("The change met another state than it was decided on");
        }
        return reply.getLogIndex();
    }

    private static RuntimeException outcomeUnknown(@Nullable Throwable e) {
        if (e instanceof Error) {
            return new KafkaStorageException("The metadata log failed", e);
        }
        return new NotControllerException("The metadata log did not take the change: " + e, e);
    }

    @Override
    public CompletableFuture<@Nullable Void> addVoter(int nodeId, Uuid directoryId, int timeoutMs) {
        return changeVoters(timeoutMs, change -> change.add(nodeId, directoryId));
    }

    @Override
    public CompletableFuture<@Nullable Void> removeVoter(int nodeId, Uuid directoryId, int timeoutMs) {
        return changeVoters(timeoutMs, change -> change.remove(nodeId, directoryId));
    }

    /** One that cannot be reached is not asked for: Ratis would wait for it, and change no voters meanwhile. */
    private CompletableFuture<@Nullable Void> admit(RatisSettings.Voter observer) {
        RaftEventLoops network = loops;
        RaftServer.Division here = division();
        if (network == null || here == null || !here.getInfo().isLeader()) {
            return CompletableFuture.failedFuture(
                    new NotControllerException("Node " + settings.nodeId() + " does not lead the metadata log"));
        }
        return VoterIntroduction.ask(network, observer).thenCompose(found -> {
            if (found.nodeId() != observer.nodeId()
                    || !found.directoryId().equals(observer.directoryId())
                    || !found.incarnation().equals(settings.incarnation())) {
                throw new InvalidRequestException("Another node than " + observer + " answers there");
            }
            return changeVoters(ADMIT_MS, change -> change.observe(observer));
        });
    }

    @Override
    public void forgetObserver(int nodeId) {
        RaftEventLoops network = loops;
        if (network != null) {
            network.schedule(() -> forget(nodeId), 0, TimeUnit.MILLISECONDS);
        }
    }

    private void forget(int nodeId) {
        CompletableFuture<@Nullable Void> unused = changeVoters(ADMIT_MS, change -> change.forget(nodeId))
                .whenComplete((done, e) -> {
                    if (e == null) {
                        LOG.info("A node that has left the cluster is sent no more metadata: node={}", nodeId);
                    } else {
                        LOG.debug("Node {} that has left the cluster is still sent metadata", nodeId, e);
                    }
                });
    }

    /** Waits for a change that is under way, an observer's admission say, within the time. */
    private CompletableFuture<@Nullable Void> changeVoters(
            int timeoutMs, Function<RatisVoterChange, SetConfigurationRequest.Arguments> decision) {
        CompletableFuture<@Nullable Void> outcome = new CompletableFuture<>();
        CompletableFuture<@Nullable Void> inTime = outcome.orTimeout(timeoutMs, TimeUnit.MILLISECONDS)
                .exceptionally(e -> {
                    throw e instanceof RuntimeException known ? known : notChanged(e);
                });
        changeVoters(decision, outcome);
        return inTime;
    }

    private void changeVoters(
            Function<RatisVoterChange, SetConfigurationRequest.Arguments> decision,
            CompletableFuture<@Nullable Void> outcome) {
        CompletableFuture<@Nullable Void> unused = tryToChange(decision).whenComplete((done, e) -> {
            RaftEventLoops network = loops;
            if (e == null) {
                outcome.complete(null);
            } else if (network != null && isUnderWay(e)) {
                if (!outcome.isDone()) {
                    network.schedule(() -> changeVoters(decision, outcome), CHANGE_AGAIN_MS, TimeUnit.MILLISECONDS);
                }
            } else {
                outcome.completeExceptionally(e);
            }
        });
    }

    private static boolean isUnderWay(@Nullable Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof ReconfigurationInProgressException) {
                return true;
            }
        }
        return false;
    }

    private CompletableFuture<@Nullable Void> tryToChange(
            Function<RatisVoterChange, SetConfigurationRequest.Arguments> decision) {
        try {
            RaftServer running = running();
            RatisVoterChange change =
                    new RatisVoterChange(new RatisConfiguration(settings), settings, leadersView(running));
            SetConfigurationRequest request = new SetConfigurationRequest(
                    clientId, running.getId(), groupId, callIds.incrementAndGet(), decision.apply(change));
            return running.setConfigurationAsync(request).handle(RatisMetadataLog::changed);
        } catch (IOException | ApiException e) {
            return CompletableFuture.failedFuture(e instanceof ApiException api ? api : notChanged(e));
        }
    }

    private static @Nullable Void changed(@Nullable RaftClientReply reply, @Nullable Throwable e) {
        if (reply == null || e != null) {
            throw notChanged(e);
        }
        if (!reply.isSuccess()) {
            throw notChanged(reply.getException());
        }
        return null;
    }

    private static ApiException notChanged(@Nullable Throwable e) {
        if (e instanceof NotLeaderException) {
            return new NotControllerException("The node does not lead the metadata log any more", e);
        }
        return new org.apache.kafka.common.errors.TimeoutException("The voters have not been changed so far: " + e, e);
    }

    private RaftServer.@Nullable Division division() {
        RaftServer running = server;
        try {
            return running == null ? null : running.getDivision(groupId);
        } catch (IOException e) { // it closes
            return null;
        }
    }

    private RaftServer running() {
        RaftServer running = server;
        if (running == null) {
            throw new NotControllerException("The metadata log does not run");
        }
        return running;
    }

    private RatisMembers leadersView(RaftServer running) throws IOException {
        RaftServer.Division division = running.getDivision(groupId);
        if (!division.getInfo().isLeaderReady()) {
            throw new NotControllerException("Node " + settings.nodeId() + " does not lead the metadata log");
        }
        return RatisMembers.of(division);
    }

    @Override
    public QuorumState quorum() {
        try {
            return leadersView(running()).state();
        } catch (IOException e) {
            throw new NotControllerException("The metadata log does not tell its members: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        RaftServer running = server;
        server = null;
        if (running != null) {
            handOver(running);
            try {
                running.close();
            } catch (IOException e) {
                LOG.warn("Metadata log did not close cleanly: directory={}", settings.directory(), e);
            }
        }
        RaftEventLoops network = loops;
        loops = null;
        if (network != null) {
            network.close();
            RaftThreads.end(RatisConfiguration.peerId(settings.self()) + "@" + groupId);
        }
    }
}
