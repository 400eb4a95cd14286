package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.Listeners;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogManager;
import io.barnabas.metadata.BrokerImage;
import io.barnabas.metadata.BrokerRegistration.Presentation;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.MetadataNode;
import io.barnabas.metadata.MetadataNodeSettings;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TopicImage;
import io.barnabas.metadata.jpa.MetadataEntities;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.Partition;
import io.barnabas.partition.PartitionRegistry;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.RequestDispatcher;
import io.barnabas.request.ApiVersionsHandler;
import io.barnabas.request.AutoTopicCreation;
import io.barnabas.request.ControlHandlers;
import io.barnabas.request.ControlPlane;
import io.barnabas.request.DataHandlers;
import io.barnabas.request.DataPath;
import io.barnabas.request.FetchHandler;
import io.barnabas.request.FetchLimits;
import io.barnabas.request.GroupHandlers;
import io.barnabas.request.HandlerDispatcher;
import io.barnabas.request.HandlerRegistry;
import io.barnabas.request.RequestMetrics;
import io.barnabas.time.SerialExecutor;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition root: builds every core of the broker from a {@link BrokerPort} and a configuration, starts them in order and stops
 * them in reverse. No container is needed; the singletons of this package only hold it and hand it on.
 *
 * <p>Order of the start: metadata journal, logs, registration (fenced), partitions, coordinators, handlers, unfencing; then the resource
 * adapter opens the sockets. {@link #start} and {@link #close} are called once each, by one thread; the getters by any.
 */
public final class BrokerNode {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerNode.class);
    /** The metadata's directory under the first data directory. */
    private static final String METADATA_DIRECTORY = "metadata";

    private static final long START_SECONDS = 120;
    private static final long LEAVE_SECONDS = 3;
    private static final int COMMANDS_INLINE = 16;
    private static final long FETCH_SESSION_EVICTION_MS = 120_000;

    private final BrokerPort port;
    private final LiveConfig config;
    private final RequestMetrics metrics = new RequestMetrics();
    private final MetadataNode metadata;
    private final MetadataEntities entities;
    private final LogManager logs;
    private final LocalPartitions partitions;
    private final GroupCoordinator groups;
    private final FetchHandler fetch;
    private final HandlerDispatcher dispatcher;
    private final long brokerEpoch;

    private BrokerNode(BrokerPort port, BrokerConfig atStart, MetadataNode metadata) throws IOException {
        this.port = port;
        this.config = new LiveConfig(atStart);
        this.metadata = metadata;
        SerialExecutor entityWrites = new SerialExecutor(
                port.workers(), COMMANDS_INLINE, fault -> LOG.error("the metadata entities were not written", fault));
        this.entities = new MetadataEntities(
                metadata.entitiesDirectory(), task -> port.workers().execute(() -> entityWrites.execute(task)));
        this.logs = port.openLogs(atStart.logManagerSettings(metadata.clusterId()));
        await(metadata.ready(), "the metadata is not ready");
        metadata.metadata().onChange(this::onChange);
        this.brokerEpoch =
                await(metadata.registration().register(presentation(atStart)), "the broker is not registered");
        this.partitions = new LocalPartitions(
                atStart.nodeId(),
                logs,
                (topic, image) -> io.barnabas.config.TopicSettings.logConfig(
                        config.current(), image.config(new ConfigResource(ConfigResource.Type.TOPIC, topic))),
                metadata.metadata(),
                port.workers());
        this.groups = groups(atStart);
        this.fetch = new FetchHandler(
                dataPath(), fetchLimits(atStart), () -> Uuid.randomUuid().hashCode());
        this.dispatcher = dispatcher(atStart);
    }

    /**
     * Starts a broker; when this returns it is ready to serve, and its sockets may be opened.
     *
     * @throws IOException if a directory cannot be used, with the reason for the operator as its message
     */
    public static BrokerNode start(BrokerPort port, BrokerConfig config) throws IOException {
        config.warnings().forEach(warning -> LOG.warn("configuration: {}", warning));
        SerialExecutor controller = new SerialExecutor(
                port.workers(), COMMANDS_INLINE, fault -> LOG.error("a metadata command failed unexpectedly", fault));
        MetadataNode metadata = MetadataNode.open(
                MetadataNodeSettings.oneNode(
                        config.logDirs().get(0).resolve(METADATA_DIRECTORY), config.nodeId(), null),
                Uuid::randomUuid,
                task -> port.workers().execute(() -> controller.execute(task)),
                fault -> LOG.error("the metadata journal has failed; restart the broker", fault));
        try {
            BrokerNode node = new BrokerNode(port, config, metadata);
            node.begin();
            return node;
        } catch (IOException | RuntimeException e) {
            metadata.close();
            throw e;
        }
    }

    private void begin() {
        partitions.start();
        partitions.onLeadership(new OffsetsTopicLeadership());
        metadata.metadata().onChange(this::onTopicsDeleted);
        await(metadata.registration().unfence(brokerEpoch), "the broker stays fenced");
        // Nothing waits for the entities: their database opens while the broker serves.
        metadata.metadata().onEntry(entities);
    }

    private static <T> T await(CompletableFuture<T> future, String failure) {
        try {
            return future.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new KafkaException("The start failed: " + failure, e.getCause());
        } catch (TimeoutException e) {
            throw new KafkaException("The start failed: " + failure + " after " + START_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("The start was interrupted: " + failure, e);
        }
    }

    private Presentation presentation(BrokerConfig atStart) {
        List<BrokerImage.Endpoint> endpoints = atStart.listeners().advertised().stream()
                .map(BrokerNode::endpoint)
                .toList();
        long formerEpoch = metadata.metadata()
                .image()
                .broker(atStart.nodeId())
                .map(BrokerImage::epoch)
                .orElse(-1L);
        boolean clean = logs.directories().stream().allMatch(DataDirectory::cleanAtStart);
        return new Presentation(
                Uuid.randomUuid(),
                endpoints,
                atStart.rack(),
                logs.directories().stream().map(DataDirectory::id).toList(),
                FeatureControl.SUPPORTED,
                clean ? formerEpoch : -1);
    }

    private static BrokerImage.Endpoint endpoint(Listeners.Endpoint from) {
        return new BrokerImage.Endpoint(from.name(), from.host(), from.port(), from.protocol().id);
    }

    private GroupCoordinator groups(BrokerConfig atStart) {
        GroupCoordinatorSettings settings = GroupCoordinatorSettings.of(atStart);
        return new GroupCoordinator(
                settings,
                new CoordinatorRuntime.Environment(
                        port.clock(), port.ticker(), port.workers(), new LocalPartitionWriter(partitions)),
                () -> offsetsPartitions(settings),
                clientId -> clientId + "-" + Uuid.randomUuid());
    }

    private int offsetsPartitions(GroupCoordinatorSettings settings) {
        @Nullable TopicImage topic = metadata.metadata().image().topic(Topic.GROUP_METADATA_TOPIC_NAME);
        return topic == null
                ? settings.offsetsTopicPartitions()
                : topic.partitions().size();
    }

    private DataPath dataPath() {
        return new DataPath(
                partitions, logs, metadata.metadata(), metrics, port.ticker(), port.clock(), port.workers());
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
                metadata.metadata(),
                metadata.controller(),
                config,
                ControlPlane.Rules.of(config, Policies.load(atStart), random()),
                metadata.producerIds()::next,
                port::boundPort);
        HandlerRegistry handlers = new HandlerRegistry()
                .add(DataHandlers.all(dataPath(), fetch))
                .add(ControlHandlers.of(plane, new AutoTopicCreation(plane)))
                .add(GroupHandlers.all(groups, metadata.metadata(), topic -> createTopic(plane, topic)));
        handlers.add(new ApiVersionsHandler(handlers, metadata.metadata(), atStart.nodeId(), FeatureControl.SUPPORTED));
        return new HandlerDispatcher(
                atStart.listenerSettings(),
                handlers,
                new HandlerDispatcher.Measures(metrics, port.clock()),
                List.of(fetch::onConnectionClosed),
                this::close);
    }

    private static Random random() {
        return new Random(Uuid.randomUuid().getMostSignificantBits());
    }

    private static CompletableFuture<CreateTopicsResponseData> createTopic(ControlPlane plane, CreatableTopic topic) {
        CreateTopicsRequestData request = new CreateTopicsRequestData();
        request.topics().add(topic);
        return plane.controller()
                .submit("CreateTopics", image -> plane.rules().topics().create(image, request));
    }

    private void onChange(Metadata.Change change, MetadataImage image) {
        if (change.configs().stream().anyMatch(resource -> resource.type() == ConfigResource.Type.BROKER)) {
            int id = config.atStart().nodeId();
            config.update(
                    image.config(new ConfigResource(ConfigResource.Type.BROKER, "")),
                    image.config(new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(id))));
            logs.reconfigure(config.current().logManagerSettings(image.clusterId()));
        }
    }

    private void onTopicsDeleted(Metadata.Change change, MetadataImage image) {
        if (!change.deletedTopics().isEmpty()) {
            Map<String, Uuid> gone = new HashMap<>();
            change.deletedTopics().forEach(topic -> gone.put(topic.name(), topic.id()));
            groups.onTopicsDeleted(gone);
        }
    }

    /** The group coordinator's shards follow the partitions of the offsets topic. */
    private final class OffsetsTopicLeadership implements PartitionRegistry.LeadershipListener {
        @Override
        public void onLeader(Partition partition, int leaderEpoch) {
            if (partition.topicPartition().topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
                groups.onElected(partition.topicPartition().partition(), leaderEpoch);
            }
        }

        @Override
        public void onResigned(TopicPartition partition, int leaderEpoch) {
            if (partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
                groups.onResigned(partition.partition());
            }
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

    public LocalPartitions partitions() {
        return partitions;
    }

    public GroupCoordinator groups() {
        return groups;
    }

    public RequestMetrics metrics() {
        return metrics;
    }

    public FetchHandler fetch() {
        return fetch;
    }

    public BrokerPort port() {
        return port;
    }

    /** Stops the cores; the sockets are closed by then, the logs are afterwards. */
    private void close() {
        step(
                "leaving the cluster",
                () -> metadata.registration().leave(brokerEpoch).get(LEAVE_SECONDS, TimeUnit.SECONDS));
        step("the group coordinator", () -> {
            groups.close();
            return true;
        });
        step("the metadata entities", () -> {
            entities.close();
            return true;
        });
        step("the metadata", () -> {
            metadata.close();
            return true;
        });
    }

    private static void step(String what, java.util.concurrent.Callable<?> action) {
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
