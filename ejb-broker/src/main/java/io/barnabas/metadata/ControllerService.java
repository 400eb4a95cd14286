package io.barnabas.metadata;

import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.Controller.Decision;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.apache.kafka.common.message.AllocateProducerIdsRequestData;
import org.apache.kafka.common.message.AllocateProducerIdsResponseData;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.message.AssignReplicasToDirsRequestData;
import org.apache.kafka.common.message.AssignReplicasToDirsResponseData;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.message.BrokerRegistrationResponseData;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The controller towards the brokers: takes their requests to the rules that decide them and answers in Kafka's messages. Before it: the
 * broker of this node, and the handlers of the inter-broker listener. After it: {@link Controller}. A heartbeat that changes nothing
 * is answered at once, without its queue.
 *
 * <p>Safe from any thread. Made on every node; serves while its node is the controller.
 */
public final class ControllerService implements ControllerRequests, AutoCloseable {
    /** Producer ids of one block, as many as Kafka gives at once. */
    static final int PRODUCER_ID_BLOCK = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(ControllerService.class);

    private final Controller controller;
    private final Metadata metadata;
    private final PartitionRules rules;
    private final BrokerSessions sessions;
    private final BrokerClocks clocks;
    private final Set<Integer> voters;
    private final RegistrationControl registrations;
    private final HeartbeatControl heartbeats;
    private final ControllerDuties duties;

    /** What time a service goes by. */
    public record Time(Clock clock, Ticker ticker) {}

    /**
     * Serves from now on, while this node is the controller.
     *
     * @param nodeId this node's
     */
    public ControllerService(
            Controller controller, Metadata metadata, int nodeId, ControllerSettings settings, Time time) {
        this.controller = controller;
        this.metadata = metadata;
        this.rules = settings.rules();
        this.sessions = new BrokerSessions(time.clock(), nodeId, settings.sessionTimeoutMs());
        this.clocks = new BrokerClocks(time.clock());
        this.voters = settings.voters();
        this.registrations = new RegistrationControl(rules);
        this.heartbeats = new HeartbeatControl(rules, sessions);
        this.duties = new ControllerDuties(controller, metadata, settings, sessions, time);
        duties.start(nodeId);
    }

    /** The service of a node, as configured. */
    public static ControllerService of(MetadataNode node, LiveConfig config, Time time) {
        return new ControllerService(
                node.controller(), node.metadata(), config.atStart().nodeId(), ControllerSettings.of(config), time);
    }

    @Override
    public CompletableFuture<ApiMessage> handle(ApiMessage request) {
        return switch (ApiKeys.forId(request.apiKey())) {
            case BROKER_REGISTRATION -> register((BrokerRegistrationRequestData) request);
            case BROKER_HEARTBEAT -> heartbeat((BrokerHeartbeatRequestData) request);
            case ALTER_PARTITION ->
                submit(
                        "AlterPartition",
                        image -> AlterPartitionControl.decide(rules, image, (AlterPartitionRequestData) request),
                        error -> new AlterPartitionResponseData().setErrorCode(error.code()));
            case ALLOCATE_PRODUCER_IDS ->
                submit(
                        "AllocateProducerIds",
                        image -> producerIds(image, (AllocateProducerIdsRequestData) request),
                        error -> new AllocateProducerIdsResponseData().setErrorCode(error.code()));
            case ASSIGN_REPLICAS_TO_DIRS ->
                submit(
                        "AssignReplicasToDirs",
                        image -> DirectoryControl.decide(rules, image, (AssignReplicasToDirsRequestData) request),
                        error -> new AssignReplicasToDirsResponseData().setErrorCode(error.code()));
            default -> throw new IllegalArgumentException("Not a broker's request: " + request.apiKey());
        };
    }

    private CompletableFuture<ApiMessage> register(BrokerRegistrationRequestData request) {
        return submit(
                        "RegisterBroker",
                        image -> registrations.decide(image, request, isInUse(image, request.brokerId())),
                        error -> new BrokerRegistrationResponseData().setErrorCode(error.code()))
                .thenApply(body -> {
                    BrokerRegistrationResponseData answer = (BrokerRegistrationResponseData) body;
                    if (answer.errorCode() == Errors.NONE.code()) {
                        sessions.onHeard(request.brokerId(), answer.brokerEpoch(), -1);
                        tellTime(request.brokerId(), request.unknownTaggedFields(), answer.unknownTaggedFields());
                    }
                    return answer;
                });
    }

    private boolean isInUse(MetadataImage image, int broker) {
        return image.broker(broker)
                .filter(b -> sessions.isHeard(broker, b.epoch()))
                .isPresent();
    }

    private CompletableFuture<ApiMessage> heartbeat(BrokerHeartbeatRequestData request) {
        MetadataImage image = metadata.image();
        if (!controller.isActive()) {
            return CompletableFuture.completedFuture(
                    new BrokerHeartbeatResponseData().setErrorCode(Errors.NOT_CONTROLLER.code()));
        }
        if (request.brokerEpoch() == WitnessClock.NO_BROKER && voters.contains(request.brokerId())) {
            return CompletableFuture.completedFuture(timed(request, new BrokerHeartbeatResponseData()));
        }
        image.broker(request.brokerId())
                .filter(b -> b.epoch() == request.brokerEpoch())
                .ifPresent(b -> sessions.onHeard(b.id(), b.epoch(), request.currentMetadataOffset()));
        Decision<BrokerHeartbeatResponseData> decision = heartbeats.decide(image, request);
        if (decision.records().isEmpty()) {
            return CompletableFuture.completedFuture(
                    timed(request, decision.answer().apply(image)));
        }
        return submit(
                        "BrokerHeartbeat",
                        present -> heartbeats.decide(present, request),
                        error -> new BrokerHeartbeatResponseData().setErrorCode(error.code()))
                .thenApply(answer -> timed(request, (BrokerHeartbeatResponseData) answer));
    }

    private ApiMessage timed(BrokerHeartbeatRequestData request, BrokerHeartbeatResponseData answer) {
        if (answer.errorCode() == Errors.NONE.code()) {
            tellTime(request.brokerId(), request.unknownTaggedFields(), answer.unknownTaggedFields());
        }
        return answer;
    }

    /** All nodes have a say: with a witness a broker that is alone of two knows the time. */
    private void tellTime(int node, List<RawTaggedField> request, List<RawTaggedField> answer) {
        Set<Integer> nodes = new HashSet<>(voters);
        metadata.image().brokers().forEach(broker -> nodes.add(broker.id()));
        clocks.onHeard(node, request, nodes);
        clocks.agreed(nodes.size()).ifPresent(wallMs -> BrokerClocks.write(answer, wallMs));
    }

    private static Decision<AllocateProducerIdsResponseData> producerIds(
            MetadataImage image, AllocateProducerIdsRequestData request) {
        AlterPartitionControl.checkEpoch(image, request.brokerId(), request.brokerEpoch());
        long first = image.nextProducerId();
        return Decision.of(
                List.of(new ProducerIdsRecord()
                        .setBrokerId(request.brokerId())
                        .setBrokerEpoch(request.brokerEpoch())
                        .setNextProducerId(first + PRODUCER_ID_BLOCK)),
                new AllocateProducerIdsResponseData().setProducerIdStart(first).setProducerIdLen(PRODUCER_ID_BLOCK));
    }

    private <R extends ApiMessage> CompletableFuture<ApiMessage> submit(
            String name, Controller.Command<R> command, Function<Errors, R> refusal) {
        return controller.submit(name, command).handle((answer, failure) -> {
            if (failure == null) {
                return answer;
            }
            Errors error = Errors.forException(cause(failure));
            if (error == Errors.UNKNOWN_SERVER_ERROR) {
                LOG.error("A broker's request failed: request={}", name, failure);
            }
            return refusal.apply(error);
        });
    }

    private static Throwable cause(Throwable failure) {
        @Nullable Throwable inner = failure.getCause();
        return failure instanceof CompletionException && inner != null ? inner : failure;
    }

    /**
     * The connection that a broker's heartbeats came by is gone: a hint that it is, too. It is fenced at once if nobody listens where it
     * was, else when its session ends.
     */
    public void onDisconnected(int brokerId) {
        duties.onDisconnected(brokerId);
    }

    /** Has brokers that are silent, or that something says are gone, looked for by {@code probe} from now on. */
    public void probeBy(BrokerProbe probe) {
        duties.probeBy(probe);
    }

    /** Fences and elects nothing any more. */
    @Override
    public void close() {
        duties.close();
    }
}
