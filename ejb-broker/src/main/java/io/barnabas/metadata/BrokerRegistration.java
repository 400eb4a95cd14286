package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AllocateProducerIdsRequestData;
import org.apache.kafka.common.message.AllocateProducerIdsResponseData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData.DirectoryData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData.PartitionData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData.TopicData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.message.BrokerRegistrationResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this broker tells the controller of itself, in Kafka's messages and wherever that is: that it is here (fenced at first), that it
 * is alive ({@link HeartbeatLoop}), that it serves, that it leaves; where its replicas are, and that it needs producer ids. Safe from
 * any thread.
 */
public final class BrokerRegistration implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerRegistration.class);
    private static final int REQUEST_MS = 30_000;
    /** Rest before a registration is tried again that a former incarnation's session stands against. */
    private static final long RETRY_MS = 100;

    private final ControllerChannel channel;
    private final Metadata metadata;
    private final int nodeId;
    private final Clock clock;
    private final Ticker ticker;
    private final HeartbeatLoop heartbeats;
    private volatile @Nullable Presentation presented;
    private boolean registering; // guarded by this
    private boolean started; // guarded by this
    private volatile boolean closed;

    /**
     * @param heartbeatMs {@code broker.heartbeat.interval.ms}
     * @param sessionMs {@code broker.session.timeout.ms}
     */
    public record Pace(int heartbeatMs, int sessionMs, Clock clock, Ticker ticker) {}

    /** Of broker {@code nodeId}. */
    public BrokerRegistration(ControllerChannel channel, Metadata metadata, int nodeId, Pace pace) {
        this.channel = channel;
        this.metadata = metadata;
        this.nodeId = nodeId;
        this.clock = pace.clock();
        this.ticker = pace.ticker();
        this.heartbeats = new HeartbeatLoop(channel, metadata, nodeId, pace, this::onStale);
    }

    /**
     * How a broker presents itself.
     *
     * @param incarnationId random, made at this start
     * @param endpoints where clients reach it
     * @param logDirs ids of its data directories
     * @param features the levels it can run
     * @param cleanShutdownEpoch broker epoch in the mark that its last clean stop left, or -1: another than the last epoch tells that
     *     acknowledged records may be missing from its disk
     */
    public record Presentation(
            Uuid incarnationId,
            List<BrokerImage.Endpoint> endpoints,
            @Nullable String rack,
            List<Uuid> logDirs,
            Map<String, BrokerImage.FeatureRange> features,
            long cleanShutdownEpoch) {}

    /**
     * Registers this broker, fenced, and begins with heartbeats; the same incarnation again presents itself anew under its epoch. Tried
     * again as long as there is no controller, or the session of a former incarnation stands against it.
     *
     * @return the broker's epoch: the index of its registration; fails with the controller's error
     */
    public CompletableFuture<Long> register(Presentation broker) {
        presented = broker;
        CompletableFuture<Long> registered = new CompletableFuture<>();
        attempt(broker, registered);
        return registered.thenApply(epoch -> {
            heartbeats.onRegistered(epoch);
            if (isFirst()) {
                heartbeats.start();
            }
            return epoch;
        });
    }

    private synchronized boolean isFirst() {
        boolean first = !started;
        started = true;
        return first;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // {@code registered} ends with it
    private void attempt(Presentation broker, CompletableFuture<Long> registered) {
        channel.send(request(broker), REQUEST_MS).whenComplete((body, failure) -> {
            Errors error = failure == null ? error(body) : Errors.forException(failure);
            boolean tryAgain = error == Errors.DUPLICATE_BROKER_REGISTRATION || error == Errors.REQUEST_TIMED_OUT;
            if (error == Errors.NONE) {
                BrokerRegistrationResponseData answer = (BrokerRegistrationResponseData) body;
                BrokerClocks.read(answer.unknownTaggedFields()).ifPresent(clock::agree);
                registered.complete(answer.brokerEpoch());
            } else if (tryAgain && !closed) {
                LOG.info("not registered yet; broker={} error={}", nodeId, error);
                ticker.after(RETRY_MS, () -> attempt(broker, registered));
            } else {
                registered.completeExceptionally(failure != null ? failure : error.exception());
            }
        });
    }

    private BrokerRegistrationRequestData request(Presentation broker) {
        BrokerRegistrationRequestData request = new BrokerRegistrationRequestData()
                .setBrokerId(nodeId)
                .setClusterId(metadata.image().clusterId())
                .setIncarnationId(broker.incarnationId())
                .setRack(broker.rack())
                .setLogDirs(broker.logDirs())
                .setPreviousBrokerEpoch(broker.cleanShutdownEpoch());
        BrokerClocks.write(request.unknownTaggedFields(), clock.machineMillis());
        broker.endpoints().forEach(e -> request.listeners()
                .add(new BrokerRegistrationRequestData.Listener()
                        .setName(e.listener())
                        .setHost(e.host())
                        .setPort(e.port())
                        .setSecurityProtocol(e.securityProtocol())));
        broker.features().forEach((name, range) -> request.features()
                .add(new BrokerRegistrationRequestData.Feature()
                        .setName(name)
                        .setMinSupportedVersion(range.min())
                        .setMaxSupportedVersion(range.max())));
        return request;
    }

    /** The broker was taken out of the cluster while it runs, or another has its id: it registers again, as the same incarnation. */
    @SuppressWarnings("FutureReturnValueIgnored") // the next heartbeat tells
    private void onStale() {
        Presentation broker = presented;
        synchronized (this) {
            if (registering || closed || broker == null) {
                return;
            }
            registering = true;
        }
        LOG.warn("the controller does not know this broker any more; broker={} epoch={}", nodeId, epoch());
        channel.send(request(broker), REQUEST_MS).whenComplete((body, failure) -> {
            synchronized (this) {
                registering = false;
            }
            if (failure == null && error(body) == Errors.NONE) {
                heartbeats.onRegistered(((BrokerRegistrationResponseData) body).brokerEpoch());
                heartbeats.beat();
            }
        });
    }

    /** This broker's epoch, or -1 before it is registered; another after it had to register again. */
    public long epoch() {
        return heartbeats.epoch();
    }

    /** Whether the controller has fenced this broker by now, or will: it has not answered for the time of a session. */
    public boolean sessionIsOver() {
        return heartbeats.session().isOver();
    }

    /**
     * Has the controller told of the broker's disks, from the next heartbeat on.
     *
     * @param offline directories that are lost
     * @param cordoned directories that take no new replicas (KIP-1066)
     * @param hindered whether it is to be out of service for the time being, because it cannot write; others lead then
     */
    public void watch(Supplier<List<Uuid>> offline, Supplier<@Nullable List<Uuid>> cordoned, BooleanSupplier hindered) {
        heartbeats.watch(offline, cordoned, hindered);
    }

    /**
     * Lets clients be sent to this broker: its logs are recovered and its ports serve.
     *
     * @return completed when the controller has it in service
     */
    public CompletableFuture<@Nullable Void> unfence() {
        return heartbeats.serve();
    }

    /** Heartbeats at once: the connection to the controller was lost, say, and it must not take this for the broker's end. */
    public void heartbeatNow() {
        heartbeats.beat();
    }

    /**
     * Tells that this broker is about to stop: others are to lead what it leads.
     *
     * @return completed when the controller lets it go: others lead, and know it
     */
    public CompletableFuture<@Nullable Void> leave() {
        return heartbeats.leave();
    }

    /**
     * Where a replica of this broker is.
     *
     * @param directory id of the data directory
     */
    public record Assignment(Uuid topicId, int partition, Uuid directory) {}

    /**
     * Tells in which directories replicas of this broker are (KIP-858), so that a start without a directory does not take for missing what
     * is in it. What the metadata say already, or partitions they no longer have, change nothing.
     *
     * @return an index of the metadata, completed when that is committed
     */
    public CompletableFuture<Long> assign(List<Assignment> assignments) {
        return ask(request(assignments), body -> metadata.image().index());
    }

    /**
     * Gives a replica up whose records are damaged. If that is granted the metadata say of it that its directory is lost; then its records
     * may go, and not before.
     *
     * @return NONE, or why it is not granted: NOT_ENOUGH_REPLICAS are in sync beside it
     */
    public CompletableFuture<Errors> giveUp(Uuid topicId, int partition) {
        AssignReplicasToDirsRequestData request =
                request(List.of(new Assignment(topicId, partition, PartitionRules.LOST_DIRECTORY)));
        return ask(request, body -> ((AssignReplicasToDirsResponseData) body)
                .directories().stream()
                        .flatMap(directory -> directory.topics().stream())
                        .flatMap(topic -> topic.partitions().stream())
                        .map(answer -> Errors.forCode(answer.errorCode()))
                        .findFirst()
                        .orElse(Errors.UNKNOWN_SERVER_ERROR));
    }

    private AssignReplicasToDirsRequestData request(List<Assignment> assignments) {
        Map<Uuid, Map<Uuid, TopicData>> byDirectory = new LinkedHashMap<>();
        for (Assignment each : assignments) {
            byDirectory
                    .computeIfAbsent(each.directory(), d -> new LinkedHashMap<>())
                    .computeIfAbsent(each.topicId(), t -> new TopicData().setTopicId(t))
                    .partitions()
                    .add(new PartitionData().setPartitionIndex(each.partition()));
        }
        AssignReplicasToDirsRequestData request =
                new AssignReplicasToDirsRequestData().setBrokerId(nodeId).setBrokerEpoch(epoch());
        byDirectory.forEach((directory, topics) -> request.directories()
                .add(new DirectoryData().setId(directory).setTopics(new ArrayList<>(topics.values()))));
        return request;
    }

    /** Takes the next block of producer ids: {@link ControllerService#PRODUCER_ID_BLOCK} from the answered one on. */
    CompletableFuture<Long> allocateProducerIds() {
        return ask(
                new AllocateProducerIdsRequestData().setBrokerId(nodeId).setBrokerEpoch(epoch()),
                body -> ((AllocateProducerIdsResponseData) body).producerIdStart());
    }

    private <R> CompletableFuture<R> ask(ApiMessage request, Function<ApiMessage, R> answer) {
        return channel.send(request, REQUEST_MS).thenApply(body -> {
            Errors error = error(body);
            if (error != Errors.NONE) {
                throw error.exception();
            }
            return answer.apply(body);
        });
    }

    /** The error of the whole of an answer. */
    static Errors error(ApiMessage body) {
        return Errors.forCode(
                switch (ApiKeys.forId(body.apiKey())) {
                    case BROKER_REGISTRATION -> ((BrokerRegistrationResponseData) body).errorCode();
                    case ALLOCATE_PRODUCER_IDS -> ((AllocateProducerIdsResponseData) body).errorCode();
                    case ASSIGN_REPLICAS_TO_DIRS -> ((AssignReplicasToDirsResponseData) body).errorCode();
                    default -> ((BrokerHeartbeatResponseData) body).errorCode();
                });
    }

    /** Tells the controller nothing more. */
    @Override
    public void close() {
        closed = true;
        heartbeats.close();
    }
}
