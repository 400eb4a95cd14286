package io.barnabas.simulation;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.PartitionWriter;
import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.coordinator.group.TestConsumerGroups;
import io.barnabas.coordinator.transaction.BrokenTransactions;
import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionCoordinatorSettings;
import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendTerms;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogDirectories;
import io.barnabas.log.LogEnvironment;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.Policies;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.partition.LeadershipListener;
import io.barnabas.partition.LocalMarkers;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.Partition;
import io.barnabas.port.ListenerSettings;
import io.barnabas.request.AtTheController;
import io.barnabas.request.ControlPlane;
import io.barnabas.request.DataHandlers;
import io.barnabas.request.DataPath;
import io.barnabas.request.FetchHandler;
import io.barnabas.request.FetchLimits;
import io.barnabas.request.GroupHandlers;
import io.barnabas.request.HandlerDispatcher;
import io.barnabas.request.HandlerRegistry;
import io.barnabas.request.RecordedAnswer;
import io.barnabas.request.RequestMetrics;
import io.barnabas.request.TestConnection;
import io.barnabas.request.TransactionHandlers;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import io.barnabas.wire.RequestFrame;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/** One life of a broker's process that serves transactions: from its request handlers to its logs all is real but the threads. */
final class TransactionNode {
    static final String TOPIC = "t";
    static final int PARTITIONS = 3;
    static final int COORDINATORS = 2;

    final SimulatedThreads threads = new SimulatedThreads();
    final ManualTicker ticker;
    final LogDirectories logs;
    final LocalPartitions partitions;
    final GroupCoordinator groups;
    final TransactionCoordinator transactions;
    private final SimulatedMetadata metadata = new SimulatedMetadata(threads);
    private final World world;
    private final LocalMarkers markers;
    private final HandlerDispatcher dispatcher;
    private final TestConnection connection = new TestConnection(1);
    private boolean loading = true;

    /**
     * What outlives the process.
     *
     * @param level of transaction.version, now
     */
    record World(
            SimulatedDisk disk,
            ManualClock clock,
            LogManagerSettings logSettings,
            Map<String, LogConfig> topics,
            LongSupplier producerIds,
            Supplier<Short> level,
            Twin twin) {}

    /** What a broker may do wrong on purpose, to see whether it is found out. */
    enum Twin {
        NONE,
        /** Takes transactional batches without asking whether they belong to a transaction. */
        UNVERIFIED,
        /** After a restart does not write the markers of transactions whose end was decided before. */
        FORGETFUL,
        /** A new producer gets the epoch of the one before it. */
        INIT_KEEPS_EPOCH(BrokenTransactions.INIT_KEEPS_EPOCH),
        /** A transaction that takes too long is aborted, and its producer may go on. */
        ABORT_KEEPS_EPOCH(BrokenTransactions.ABORT_KEEPS_EPOCH),
        /** Writes the markers to the offsets topic, and leaves the offsets as they were. */
        LOSES_OFFSETS,
        /** Writes markers before the decision is safe. */
        HASTY;

        private final BrokenTransactions coordinator;

        Twin() {
            this(BrokenTransactions.NONE);
        }

        Twin(BrokenTransactions coordinator) {
            this.coordinator = coordinator;
        }
    }

    /** Opens everything; shards are being loaded when this returns. */
    TransactionNode(World world, int leaderEpoch) throws IOException {
        this.world = world;
        ticker = new ManualTicker(world.clock);
        logs = LogDirectories.open(world.logSettings, new LogEnvironment(world.disk, world.clock, ticker, threads));
        metadata.create(TOPIC, PARTITIONS, leaderEpoch);
        metadata.create(Topic.GROUP_METADATA_TOPIC_NAME, COORDINATORS, leaderEpoch);
        metadata.create(Topic.TRANSACTION_STATE_TOPIC_NAME, COORDINATORS, leaderEpoch);
        partitions = new LocalPartitions(
                TestMetadata.NODE_ID,
                logs,
                (topic, image) -> world.topics.getOrDefault(topic, LogConfig.defaults()),
                metadata.ordered(),
                metadata::work);
        metadata.change(partitions::start);
        PartitionWriter writer = new LocalPartitionWriter(partitions);
        groups = new GroupCoordinator(
                GroupCoordinatorSettings.defaults(),
                TestConsumerGroups::defaults,
                environment(writer),
                new GroupCoordinator.Cluster(() -> COORDINATORS, metadata::image),
                name -> name);
        markers = new LocalMarkers(partitions, groups, world.clock);
        transactions = world.twin.coordinator.coordinator(
                settings(),
                environment(world.twin == Twin.HASTY ? new HastyWriter(writer) : writer),
                new TransactionCoordinator.Cluster(
                        () -> COORDINATORS,
                        () -> CompletableFuture.completedFuture(world.producerIds.getAsLong()),
                        world.level,
                        this::mark));
        partitions.onLeadership(new Coordinators());
        dispatcher = dispatcher();
    }

    private static TransactionCoordinatorSettings settings() {
        TransactionCoordinatorSettings plain = TransactionCoordinatorSettings.defaults();
        return new TransactionCoordinatorSettings(
                plain.maxTimeoutMs(),
                plain.idExpirationMs(),
                1_000,
                plain.expiryIntervalMs(),
                2,
                20,
                100,
                false,
                5_000);
    }

    private CoordinatorRuntime.Environment environment(PartitionWriter writer) {
        return new CoordinatorRuntime.Environment(world.clock, ticker, threads.lane(SimulatedNode.COORDINATOR), writer);
    }

    private CompletionStage<Void> mark(TopicPartition partition, TransactionMarker marker) {
        if (world.twin == Twin.FORGETFUL && loading) {
            return CompletableFuture.completedFuture(null);
        }
        if (world.twin == Twin.LOSES_OFFSETS && partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
            leader(partition)
                    .append(
                            marker.toRecords(world.clock.wallMillis()),
                            AppendOrigin.COORDINATOR,
                            (short) -1,
                            AppendTerms.marker(marker.transactionVersion()));
            return CompletableFuture.completedFuture(null);
        }
        return markers.write(partition, marker);
    }

    /** The shards are loaded. */
    void loaded() {
        loading = false;
    }

    /** The coordinators lose their shards and load them again. */
    void reload(int shard) {
        int epoch = leader(new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, shard))
                .leaderEpoch();
        transactions.onResigned(shard);
        transactions.onElected(shard, epoch);
        groups.onResigned(shard);
        groups.onElected(shard, epoch);
    }

    private HandlerDispatcher dispatcher() {
        Enlistment enlistment = new Enlistment(
                transactions,
                world.clock,
                ticker,
                threads.lane(SimulatedNode.COORDINATOR),
                () -> world.twin != Twin.UNVERIFIED);
        RequestMetrics metrics = new RequestMetrics();
        Metadata known = metadata.test.metadata();
        DataPath path = new DataPath(partitions, logs, known, metrics, ticker, world.clock, threads.lane("scans"));
        LiveConfig config = new LiveConfig(BrokerConfig.of(Map.of()));
        ControlPlane plane = new ControlPlane(
                TestMetadata.NODE_ID,
                known,
                metadata.test.controller(),
                AtTheController.nothingIsForwarded(),
                config,
                ControlPlane.Rules.of(config, Policies.NONE, new Random(1)),
                () -> CompletableFuture.completedFuture(world.producerIds.getAsLong()),
                listener -> 9092,
                new ControlPlane.Time(world.clock, ticker));
        HandlerRegistry registry = new HandlerRegistry()
                .add(DataHandlers.all(path, new FetchHandler(path, FetchLimits.defaults(), () -> 1), enlistment))
                .add(GroupHandlers.all(groups, known, () -> true))
                .add(TransactionHandlers.all(
                        new TransactionHandlers.Parts(transactions, groups, known, enlistment, markers), plane));
        return new HandlerDispatcher(
                () -> new ListenerSettings(List.of(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                registry,
                new HandlerDispatcher.Measures(metrics, world.clock),
                List.of(),
                () -> {});
    }

    private final class Coordinators implements LeadershipListener {
        @Override
        public void onLeader(Partition partition, int leaderEpoch) {
            TopicPartition of = partition.topicPartition();
            if (of.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
                groups.onElected(of.partition(), leaderEpoch);
            } else if (of.topic().equals(Topic.TRANSACTION_STATE_TOPIC_NAME)) {
                transactions.onElected(of.partition(), leaderEpoch);
            }
        }

        @Override
        public void onResigned(TopicPartition partition, int leaderEpoch) {
            if (partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
                groups.onResigned(partition.partition());
            } else if (partition.topic().equals(Topic.TRANSACTION_STATE_TOPIC_NAME)) {
                transactions.onResigned(partition.partition());
            }
        }
    }

    /** Sends a request; the answer comes now or later, or never. */
    RecordedAnswer send(ApiKeys api, int version, ApiMessage body) {
        RecordedAnswer answer = new RecordedAnswer();
        dispatcher.dispatch(new RequestFrame(api, (short) version, 1, "c", body, 1, 0), connection, answer);
        return answer;
    }

    LocalPartition leader(TopicPartition partition) {
        return partitions.leader(partition);
    }
}
