package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.coordinator.group.TestConsumerGroups;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogDirectories;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.BrokerRegistration.Presentation;
import io.barnabas.metadata.ControllerService;
import io.barnabas.metadata.ControllerSettings;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Membership;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.OrderedMetadata;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.SimulatedQuorum;
import io.barnabas.metadata.TrailingMetadata;
import io.barnabas.partition.DamagedReplicas;
import io.barnabas.partition.DirectoryAssignments;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.ReplicaTerms;
import io.barnabas.peer.BrokerLinks;
import io.barnabas.peer.PeerControllerChannel;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.request.ApiVersionsHandler;
import io.barnabas.request.AtTheController;
import io.barnabas.request.ControlPlane;
import io.barnabas.request.DataHandlers;
import io.barnabas.request.DataPath;
import io.barnabas.request.FetchHandler;
import io.barnabas.request.FetchLimits;
import io.barnabas.request.GroupHandlers;
import io.barnabas.request.HandlerDispatcher;
import io.barnabas.request.HandlerRegistry;
import io.barnabas.request.InterBrokerHandlers;
import io.barnabas.request.RequestMetrics;
import io.barnabas.request.TransactionHandlers;
import io.barnabas.time.ManualClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;

/**
 * One life of one broker of a simulated cluster: what {@link BrokerNode} puts together is real, over a metadata log, a network, a disk and
 * threads that are not. It begins as a process does: opens its logs, waits for a controller, registers, follows the metadata, opens its
 * sockets and comes into service.
 */
public final class SimulatedBroker {
    /** The listener of clients, and the one that brokers have for each other. */
    public static final int CLIENTS_PORT = 9092;

    private static final int BROKERS_PORT = 9;
    private static final String BROKERS = "BROKER";

    private final int id;
    private final World world;
    private final SimulatedLife life;
    private final SimulatedPort port;
    private final SimulatedQuorum.Node node;
    private final Metadata metadata;
    private final LiveConfig config;
    private final ControllerService service;
    private final BrokerLinks links;
    private final PeerControllerChannel channel;
    private final Membership membership;
    private final LogDirectories logs;
    private final Uuid incarnation;
    private boolean registering;
    private final DamagedReplicas damaged;
    private @Nullable Parts parts;

    /**
     * What brokers share.
     *
     * @param settings of each broker's configuration beside its name and addresses
     * @param topics settings of topics' logs
     */
    public record World(
            ManualClock clock,
            MemoryNetwork network,
            Random random,
            Map<String, String> settings,
            Map<String, LogConfig> topics,
            BrokenBroker twin) {}

    /** What there is once the broker has been registered. */
    private record Parts(
            Metadata trailing,
            LocalPartitions partitions,
            ReplicationParts replication,
            GroupCoordinator groups,
            TransactionHandlers.Parts transactions) {}

    public static String host(int id) {
        return "host" + id;
    }

    /** The process begins. */
    public SimulatedBroker(int id, World world, SimulatedDisk disk, SimulatedLife life, SimulatedQuorum.Node node) {
        this.id = id;
        this.world = world;
        this.life = life;
        this.node = node;
        this.metadata = new OrderedMetadata(node.metadata());
        this.config = new LiveConfig(BrokerConfig.of(settings(id, world)));
        this.port = new SimulatedPort(
                world.clock, disk, life, world.twin.connector(life.connector(world.network.connector(host(id)))));
        this.service = new ControllerService(
                node.controller(),
                metadata,
                id,
                ControllerSettings.of(config),
                new ControllerService.Time(world.clock, port.ticker()));
        this.links = new BrokerLinks(port.peers(), metadata, BROKERS, BrokerLinks.Identity.of(id), world.clock);
        service.probeBy(links.probe());
        this.channel = new PeerControllerChannel(
                metadata, world.twin.controller(service, metadata), links, world.clock, port.ticker());
        this.membership = Membership.of(
                metadata,
                config,
                service,
                world.twin.channel(channel, () -> Objects.requireNonNull(parts).partitions),
                new ControllerService.Time(world.clock, port.ticker()));
        this.incarnation = new Uuid(world.random.nextLong() | 1L << 32, id);
        try {
            this.logs = port.openLogs(config.atStart().logManagerSettings("cluster"));
            logs.onDamage((log, what) -> {
                throw new AssertionError("nothing is damaged, but " + log + ": " + what);
            });
            logs.directories().forEach(d -> d.markWith(membership.registration()::epoch));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.damaged = new DamagedReplicas(id, logs, metadata, membership.registration()::giveUp, port.ticker());
        metadata.onChange((change, image) -> maybeRegister(image));
    }

    private static Map<String, String> settings(int id, World world) {
        Map<String, String> all = new HashMap<>(world.settings);
        all.put("unclean.leader.election.enable", world.twin.uncleanElection());
        all.put("node.id", Integer.toString(id));
        all.put("log.dirs", "/data" + id);
        all.put(
                "listeners",
                "PLAINTEXT://" + host(id) + ":" + CLIENTS_PORT + "," + BROKERS + "://" + host(id) + ":" + BROKERS_PORT);
        all.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + BROKERS + ":PLAINTEXT");
        all.put("inter.broker.listener.name", BROKERS);
        return all;
    }

    /** As soon as there is a controller of a formatted cluster. */
    private void maybeRegister(MetadataImage image) {
        if (registering || image.controllerId() < 0 || image.features().isEmpty()) {
            return;
        }
        registering = true;
        var unused = membership.registration().register(presentation(image)).thenAccept(this::beginAt);
    }

    private Presentation presentation(MetadataImage image) {
        long last = image.broker(id).map(BrokerImage::epoch).orElse(-1L);
        return new Presentation(
                incarnation,
                config.atStart().listeners().advertised().stream()
                        .map(e -> new BrokerImage.Endpoint(e.name(), e.host(), e.port(), e.protocol().id))
                        .toList(),
                null,
                logs.directories().stream().map(DataDirectory::id).toList(),
                FeatureControl.SUPPORTED,
                world.twin.cleanShutdownEpoch(Presence.cleanShutdownEpoch(logs.directories()), last));
    }

    /** Metadata from before its registration are of another life: by those it might lead with what that one had. */
    private void beginAt(long epoch) {
        if (metadata.image().index() < epoch) {
            port.ticker().after(1, () -> beginAt(epoch));
        } else {
            life.run(this::begin);
        }
    }

    private void begin() {
        Metadata trailing = new OrderedMetadata(TrailingMetadata.of(metadata, port.workers(), SimulatedBroker::fail));
        LocalPartitions partitions = new LocalPartitions(
                new ReplicaTerms(id, world.clock, () -> config.atStart().getLong("replica.lag.time.max.ms"), trailing),
                logs,
                (topic, image) -> world.topics.getOrDefault(topic, LogConfig.defaults()),
                Runnable::run); // who follows the metadata waits for them
        GroupCoordinator groups = groups(partitions);
        TransactionHandlers.Parts transactions =
                TransactionParts.of(port, config, membership, new TransactionParts.Local(partitions, groups), links);
        ReplicationParts replication = new ReplicationParts(port, config, membership, logs, partitions);
        parts = new Parts(trailing, partitions, replication, groups, transactions);
        RequestDispatcher dispatcher = dispatcher(parts);
        metadata.onChange(groups::onMetadata);
        world.network.listen(host(id), CLIENTS_PORT, "PLAINTEXT", dispatcher);
        world.network.listen(host(id), BROKERS_PORT, BROKERS, dispatcher);
        var unused = membership.registration().unfence();
    }

    /** What ends the process ends it here, too. */
    private static void fail(Throwable cause) {
        if (cause instanceof Error error) {
            throw error;
        }
        throw new IllegalStateException("The metadata cannot be followed", cause);
    }

    private GroupCoordinator groups(LocalPartitions partitions) {
        return new GroupCoordinator(
                GroupCoordinatorSettings.of(config.atStart()),
                TestConsumerGroups::defaults,
                new CoordinatorRuntime.Environment(
                        world.clock,
                        port.ticker(),
                        port.workers(),
                        world.twin.writer(new LocalPartitionWriter(partitions))),
                new GroupCoordinator.Cluster(
                        () -> metadata.image().topic(Topic.GROUP_METADATA_TOPIC_NAME) == null
                                ? 1
                                : metadata.image()
                                        .topic(Topic.GROUP_METADATA_TOPIC_NAME)
                                        .partitions()
                                        .size(),
                        metadata::image),
                name -> name + "-" + id + "-" + world.clock.monotonicMillis());
    }

    private RequestDispatcher dispatcher(Parts of) {
        DataPath path = new DataPath(
                of.partitions, logs, of.trailing, new RequestMetrics(), port.ticker(), world.clock, port.scans());
        int[] sessions = {1_000 * id};
        FetchHandler fetch = new FetchHandler(path, FetchLimits.defaults(), () -> ++sessions[0]);
        DirectoryAssignments assignments =
                new DirectoryAssignments(id, membership.registration()::assign, port.ticker());
        of.partitions.onBegunAnew(assignments::onMade);
        of.partitions.start();
        world.twin.onFollowing(of.trailing, of.partitions);
        of.replication.begin(fetch);
        of.partitions.onLeadership(new CoordinatorLeadership(of.groups, of.transactions.transactions()));
        InterBrokerHandlers brokers =
                InterBrokerHandlers.of(world.twin.controller(service, metadata), service::onDisconnected);
        HandlerRegistry handlers = new HandlerRegistry(BROKERS)
                .add(DataHandlers.all(path, fetch, of.transactions.enlistment()))
                .add(GroupHandlers.all(of.groups, metadata, () -> true))
                .add(TransactionHandlers.all(of.transactions, plane()))
                .add(brokers.all());
        handlers.add(new ApiVersionsHandler(handlers, metadata, id, FeatureControl.SUPPORTED));
        return new LivingDispatcher(
                new HandlerDispatcher(
                        () -> config.current().listenerSettings(),
                        handlers,
                        new HandlerDispatcher.Measures(path.metrics(), world.clock),
                        List.of(fetch::onConnectionClosed, brokers::onConnectionClosed),
                        () -> {}),
                life);
    }

    private ControlPlane plane() {
        return new ControlPlane(
                id,
                metadata,
                node.controller(),
                AtTheController.nothingIsForwarded(),
                config,
                ControlPlane.Rules.of(config, Policies.NONE, new Random(1)),
                membership.producerIds()::next,
                listener -> CLIENTS_PORT,
                new ControlPlane.Time(world.clock, port.ticker()));
    }

    /** Takes its leave of the controller, and then ends in order. @return completed when it may end */
    public CompletableFuture<@Nullable Void> leave() {
        return membership.registration().leave();
    }

    /** Ends in order. */
    public void close() {
        membership.close();
        damaged.close();
        Parts present = parts;
        if (present != null) {
            present.replication.close();
        }
        channel.close();
        links.close();
        if (present != null) {
            present.transactions.transactions().close();
            present.groups.close();
        }
        logs.close();
    }

    public int id() {
        return id;
    }

    public boolean alive() {
        return life.alive();
    }

    /** The epoch that it was given, or -1. */
    public long epoch() {
        return membership.registration().epoch();
    }

    public MetadataImage image() {
        return metadata.image();
    }

    /** Its replica of a partition, once there is one. */
    public @Nullable LocalPartition partition(TopicPartition partition) {
        return parts == null ? null : parts.partitions.partition(partition);
    }

    /** Records of its replica turn out to be damaged. */
    public void damage(TopicPartition partition) {
        LocalPartition local = partition(partition);
        if (local != null && local.online()) {
            life.run(() -> damaged.onDamage(local.log(), "a bit is another"));
        }
    }

    public SimulatedLife life() {
        return life;
    }

    public SimulatedQuorum.Node node() {
        return node;
    }
}
