package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.config.TopicSettings;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.group.ConsumerGroupSettings;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.grid.Grid;
import io.barnabas.grid.GridDuties;
import io.barnabas.log.LogManager;
import io.barnabas.metadata.ControllerService;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Membership;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.MetadataNode;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TopicImage;
import io.barnabas.metadata.TrailingMetadata;
import io.barnabas.metadata.jpa.MetadataEntities;
import io.barnabas.partition.DamagedReplicas;
import io.barnabas.partition.DirectoryAssignments;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.ReplicaTerms;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.replication.ReplicationFigures;
import io.barnabas.request.ApiVersionsHandler;
import io.barnabas.request.AutoTopicCreation;
import io.barnabas.request.ControlHandlers;
import io.barnabas.request.ControlPlane;
import io.barnabas.request.DataHandlers;
import io.barnabas.request.DataPath;
import io.barnabas.request.FetchHandler;
import io.barnabas.request.FetchLimits;
import io.barnabas.request.FindCoordinatorHandler;
import io.barnabas.request.GroupHandlers;
import io.barnabas.request.HandlerDispatcher;
import io.barnabas.request.HandlerRegistry;
import io.barnabas.request.InterBrokerHandlers;
import io.barnabas.request.LocalBranches;
import io.barnabas.request.RequestMetrics;
import io.barnabas.request.TransactionHandlers;
import io.barnabas.time.SerialExecutor;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: builds every core of the broker from a {@link BrokerPort} and a configuration, starts them in order and stops
 * them in reverse. No container is needed; the singletons of this package only hold it and hand it on.
 *
 * <p>Order of the start: metadata journal, logs, registration (fenced), partitions, coordinators, handlers, what the data grid asks of the
 * controller; then the resource adapter opens the sockets, and only then are clients sent here (unfencing). {@link #start} and
 * {@link #close} are called once each, by one thread; the getters by any.
 */
public final class BrokerNode {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerNode.class);
    /** The entities' database is opened so long after the start, when clients have been served and the other brokers are up, too. */
    private static final long ENTITIES_DELAY_MS = 10_000;

    /** What changes within this time is written to the entities at once, and after the brokers have had the time to act on it. */
    private static final long ENTITIES_REST_MS = 1_000;

    private static final int COMMANDS_INLINE = 16;
    private static final long FETCH_SESSION_EVICTION_MS = 120_000;

    private final BrokerPort port;
    private final LiveConfig config;
    private final RequestMetrics metrics = new RequestMetrics();
    private final MetadataNode metadata;
    private final Membership membership;
    private final MetadataEntities entities;
    private final CompletableFuture<@Nullable Void> entitiesMayOpen = new CompletableFuture<>();
    private final PeerParts peers;
    private final LogManager logs;
    private final Presence presence;
    private final ReplicationParts replication;
    private final TrailingMetadata trailing;
    private final LocalPartitions partitions;
    private final DirectoryAssignments assignments;
    private final DamagedReplicas damaged;
    private final GroupCoordinator groups;
    private final TransactionHandlers.Parts transactions;
    private final FetchHandler fetch;
    private final HandlerDispatcher dispatcher;
    private volatile @Nullable GridDuties gridDuties;

    private BrokerNode(BrokerPort port, LiveConfig config, Foundation foundation, FailStop failStop)
            throws IOException {
        BrokerConfig atStart = config.atStart();
        this.port = port;
        this.config = config;
        this.metadata = foundation.metadata();
        this.peers = foundation.peers();
        this.membership = foundation.membership();
        SerialExecutor entityWrites = new SerialExecutor(
                port.workers(), COMMANDS_INLINE, fault -> LOG.error("the metadata entities were not written", fault));
        this.entities = new MetadataEntities(metadata.entitiesDirectory(), task -> port.ticker()
                .after(port.closing() ? 0 : ENTITIES_REST_MS, () -> entitiesMayOpen
                        .thenAcceptAsync(open -> entityWrites.execute(task), port.workers())
                        .exceptionally(fault -> {
                            LOG.error("the metadata entities were not written", fault);
                            return null;
                        })));
        this.logs = port.openLogs(atStart.logManagerSettings(metadata.clusterId()));
        if (atStart.isWitness()) {
            Witness.begin(metadata, port, atStart.nodeId());
            membership.witnessClock().tell();
        }
        metadata.awaitReady(port::closing);
        // Before anything changes: what the database says is compared with the metadata as they were when it was
        // closed.
        metadata.metadata().onEntry(entities);
        metadata.metadata().onChange(this::onChange);
        this.presence = new Presence(port, config, metadata.metadata(), membership.registration(), logs);
        presence.register();
        // Not before: by metadata from before its registration this broker might lead with what its former life had.
        this.trailing = TrailingMetadata.of(metadata.metadata(), port.workers(), failStop::onFailure);
        this.partitions = new LocalPartitions(
                new ReplicaTerms(
                        atStart.nodeId(), port.clock(), () -> atStart.getLong("replica.lag.time.max.ms"), trailing),
                logs,
                (topic, image) -> TopicSettings.logConfig(
                        config.current(), image.config(new ConfigResource(ConfigResource.Type.TOPIC, topic))),
                port.workers());
        this.assignments = new DirectoryAssignments(atStart.nodeId(), membership.registration()::assign, port.ticker());
        this.damaged = new DamagedReplicas(
                atStart.nodeId(), logs, metadata.metadata(), membership.registration()::giveUp, port.ticker());
        this.groups = groups(atStart);
        this.transactions = TransactionParts.of(
                port, config, membership, new TransactionParts.Local(partitions, groups), peers.links());
        this.fetch = new FetchHandler(
                dataPath(), fetchLimits(atStart), () -> Uuid.randomUuid().hashCode());
        this.replication = new ReplicationParts(port, config, membership, logs, partitions);
        this.dispatcher = dispatcher(atStart).whenOpen(this::onOpen).whenLeaving(this::leave);
        failStop.guard(dispatcher);
    }

    /**
     * Starts a broker; when this returns it is ready to serve, and its sockets may be opened.
     *
     * @param grid that it is a member of, or {@link Grid#NONE}
     * @param onFailure told, once and by any thread, why the broker stopped serving for good: the process should end
     * @throws IOException if a directory cannot be used, with the reason for the operator as its message
     */
    public static BrokerNode start(BrokerPort port, BrokerConfig config, Grid grid, Consumer<Throwable> onFailure)
            throws IOException {
        FailStop failStop = new FailStop(onFailure);
        config.warnings().forEach(warning -> LOG.warn("configuration: {}", warning));
        LiveConfig live = new LiveConfig(config);
        Foundation foundation = Foundation.open(port, live, grid, failStop);
        BrokerNode node;
        try {
            node = new BrokerNode(port, live, foundation, failStop);
        } catch (IOException | RuntimeException | Error e) {
            foundation.close(); // nothing else runs yet; the logs are the port's to close
            throw e;
        }
        try {
            node.begin(grid);
        } catch (RuntimeException | Error e) {
            node.close();
            throw e;
        }
        return node;
    }

    private void begin(Grid grid) {
        partitions.start();
        replication.begin(fetch);
        partitions.onBegunAnew(assignments::onMade);
        assignments.follow(logs, metadata.metadata().image());
        logs.onDamage(damaged::onDamage);
        partitions.onLeadership(new CoordinatorLeadership(groups, transactions.transactions()));
        metadata.metadata().onChange(groups::onMetadata);
        if (config.atStart().grid() != null) {
            gridDuties = GridDuties.begin(
                    grid,
                    new GridDuties.Means(
                            config.atStart().nodeId(),
                            metadata.controller(),
                            metadata.metadata(),
                            new ControllerService.Time(port.clock(), port.ticker()),
                            port.workers()),
                    membership.service());
        }
    }

    /** The sockets are open: clients may be sent here. */
    private void onOpen() {
        presence.serve();
        port.ticker().after(ENTITIES_DELAY_MS, this::openEntities);
    }

    /** The entities need not wait any longer. */
    void openEntities() {
        entitiesMayOpen.complete(null);
    }

    /** The sockets are about to be closed. */
    private void leave() {
        GridDuties duties = gridDuties;
        if (duties != null) {
            duties.close();
        }
        presence.leave();
        metadata.handOver();
    }

    private GroupCoordinator groups(BrokerConfig atStart) {
        GroupCoordinatorSettings settings = GroupCoordinatorSettings.of(atStart);
        ConsumerGroupSettings consumerGroups =
                ConsumerGroupSettings.of(config, () -> metadata.metadata().image());
        return new GroupCoordinator(
                settings,
                () -> consumerGroups,
                new CoordinatorRuntime.Environment(
                        port.clock(), port.ticker(), port.workers(), new LocalPartitionWriter(partitions)),
                new GroupCoordinator.Cluster(() -> offsetsPartitions(settings), () -> metadata.metadata()
                        .image()),
                clientId -> clientId + "-" + Uuid.randomUuid());
    }

    private int offsetsPartitions(GroupCoordinatorSettings settings) {
        @Nullable TopicImage topic = metadata.metadata().image().topic(Topic.GROUP_METADATA_TOPIC_NAME);
        return topic == null
                ? settings.offsetsTopicPartitions()
                : topic.partitions().size();
    }

    private DataPath dataPath() {
        return new DataPath(partitions, logs, trailing, metrics, port.ticker(), port.clock(), port.scans());
    }

    private static FetchLimits fetchLimits(BrokerConfig atStart) {
        return new FetchLimits(
                atStart.getInt("fetch.max.bytes"),
                atStart.getInt("max.incremental.fetch.session.cache.slots"),
                FETCH_SESSION_EVICTION_MS);
    }

    private HandlerDispatcher dispatcher(BrokerConfig atStart) {
        ControlPlane plane = new ControlPlane(
                atStart.nodeId(),
                trailing,
                metadata.controller(),
                peers.forwarder(),
                config,
                ControlPlane.Rules.of(config, Policies.load(atStart), random()),
                membership.producerIds()::next,
                port::boundPort,
                new ControlPlane.Time(port.clock(), port.ticker()));
        AutoTopicCreation creation = new AutoTopicCreation(plane);
        InterBrokerHandlers brokers =
                InterBrokerHandlers.of(membership.service(), membership.service()::onDisconnected);
        HandlerRegistry handlers = new HandlerRegistry(
                        config.atStart().listeners().interBroker())
                .add(DataHandlers.all(dataPath(), fetch, transactions.enlistment()))
                .add(ControlHandlers.of(plane, creation, replication::silentLeaders))
                .add(new FindCoordinatorHandler(
                        groups::partitionFor,
                        transactions.transactions()::partitionFor,
                        metadata.metadata(),
                        creation,
                        replication::silentLeaders))
                .add(GroupHandlers.all(groups, metadata.metadata(), this::servesConsumerGroups))
                .add(TransactionHandlers.all(transactions, plane))
                .add(brokers.all());
        handlers.add(peers.envelopes(handlers));
        handlers.add(new ApiVersionsHandler(handlers, metadata.metadata(), atStart.nodeId(), FeatureControl.SUPPORTED));
        return new HandlerDispatcher(
                        () -> config.current().listenerSettings(),
                        handlers,
                        new HandlerDispatcher.Measures(metrics, port.clock()),
                        List.of(fetch::onConnectionClosed, brokers::onConnectionClosed),
                        this::close)
                .forwarding(peers.forwarder())
                .offering(new LocalBranches(
                        transactions.transactions(),
                        metadata.metadata(),
                        creation,
                        new LocalBranches.Time(port.clock(), port.ticker(), port.workers())));
    }

    private boolean servesConsumerGroups() {
        short level = metadata.metadata().image().features().getOrDefault(FeatureControl.GROUP_VERSION, (short) 0);
        return level >= FeatureControl.GROUP_VERSION_LEVEL
                && config.current()
                        .getList("group.coordinator.rebalance.protocols")
                        .contains("consumer");
    }

    private static Random random() {
        return new Random(Uuid.randomUuid().getMostSignificantBits());
    }

    private void onChange(Metadata.Change change, MetadataImage image) {
        if (change.configs().stream().anyMatch(resource -> resource.type() == ConfigResource.Type.BROKER)) {
            int id = config.atStart().nodeId();
            config.update(
                    image.config(new ConfigResource(ConfigResource.Type.BROKER, "")),
                    image.config(new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(id))));
            logs.reconfigure(config.current().logManagerSettings(image.clusterId()));
            membership.registration().heartbeatNow(); // which says what is cordoned now
        }
    }

    /** What the sockets are opened with. */
    public RequestDispatcher dispatcher() {
        return dispatcher;
    }

    public LiveConfig config() {
        return config;
    }

    public MetadataNode metadata() {
        return metadata;
    }

    public LogManager logs() {
        return logs;
    }

    /** The rows that follow the metadata. */
    public MetadataEntities entities() {
        return entities;
    }

    public LocalPartitions partitions() {
        return partitions;
    }

    /** What was copied from and to other brokers. */
    public ReplicationFigures replicationFigures() {
        return replication.figures();
    }

    public GroupCoordinator groups() {
        return groups;
    }

    public TransactionCoordinator transactions() {
        return transactions.transactions();
    }

    public RequestMetrics metrics() {
        return metrics;
    }

    public BrokerPort port() {
        return port;
    }

    /** Stops the cores; the sockets are closed by then, the logs are afterwards. */
    private void close() {
        step("the membership", () -> {
            membership.close();
            return true;
        });
        step("the directories' assignments", () -> {
            damaged.close();
            assignments.close();
            return true;
        });
        step("the copies", () -> {
            replication.close();
            return true;
        });
        step("what waits for others", () -> {
            peers.close();
            return true;
        });
        step("the coordinators", () -> {
            transactions.transactions().close();
            groups.close();
            return true;
        });
        step("the metadata entities", () -> {
            openEntities();
            entities.close();
            return true;
        });
        step("the metadata", () -> {
            metadata.close();
            return true;
        });
        step("what follows the metadata", () -> {
            trailing.close();
            return true;
        });
    }

    private static void step(String what, Callable<?> action) {
        try {
            action.call();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("stopping was interrupted; step={}", what);
        } catch (Exception e) { // the rest must be stopped whatever happens
            LOG.warn("stopping failed; step={}", what, e);
        }
    }
}
