package io.barnabas.replication;

import io.barnabas.log.DirectLogThreads;
import io.barnabas.log.FileStore;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogDirectories;
import io.barnabas.log.LogEnvironment;
import io.barnabas.log.LogFixture;
import io.barnabas.metadata.ControllerChannel;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.ReplicaTerms;
import io.barnabas.partition.ReplicationThrottles;
import io.barnabas.port.ListenerSettings;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.port.PeerConnection;
import io.barnabas.replication.ReplicationSimulation.Product;
import io.barnabas.request.DataPath;
import io.barnabas.request.DeleteRecordsHandler;
import io.barnabas.request.FetchHandler;
import io.barnabas.request.FetchLimits;
import io.barnabas.request.HandlerDispatcher;
import io.barnabas.request.HandlerRegistry;
import io.barnabas.request.ListOffsetsHandler;
import io.barnabas.request.RequestMetrics;
import io.barnabas.time.ManualClock;
import io.barnabas.time.Rounds;
import io.barnabas.time.Ticker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiMessage;

/** One life of one broker of a replicated topic: real logs, partitions, fetches and fetchers, on one thread. */
final class ReplicaNode {
    static final String LISTENER = "REPLICATION";
    static final int PORT = 9;
    static final long CHECKPOINT_MS = 100;
    static final FetcherSettings SETTINGS = new FetcherSettings(1, 500, 10 << 20, 1 << 16, 1_000, 3_000);

    final int id;
    final TestMetadata metadata = new TestMetadata();
    final LogDirectories logs;
    final LocalPartitions partitions;
    final FetchHandler fetch;
    final ReplicationThrottles throttles;
    long leaderBytesPerSecond = Long.MAX_VALUE;
    long followerBytesPerSecond = Long.MAX_VALUE;
    final ReplicaFetchers fetchers;
    final IsrChanges isrChanges;
    private final Map<TopicPartition, Integer> epochsFollowed = new HashMap<>(); // by the broken twin
    private boolean alive = true;

    /** What nodes share, and what outlives a node. */
    record World(
            ManualClock clock,
            Ticker ticker,
            MemoryNetwork network,
            ControllerChannel controller,
            FileStore disk,
            LogConfig config,
            long lagTimeMaxMs,
            Product product) {}

    static String host(int id) {
        return "host" + id;
    }

    ReplicaNode(int id, World world, List<ApiMessage> records) {
        this.id = id;
        Ticker ticker = (delayMs, task) -> world.ticker.after(delayMs, () -> {
            if (alive) {
                task.run();
            }
        });
        try {
            logs = LogDirectories.open(
                    LogFixture.settings(world.config, Path.of("/data" + id).toAbsolutePath()),
                    new LogEnvironment(world.disk, world.clock, ticker, new DirectLogThreads()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        metadata.replay(records.toArray(new ApiMessage[0]));
        Executor workers = Runnable::run;
        partitions = new LocalPartitions(
                new ReplicaTerms(id, world.clock, () -> world.lagTimeMaxMs, metadata.metadata()),
                logs,
                (topic, image) -> world.config,
                workers);
        DataPath path =
                new DataPath(partitions, logs, metadata.metadata(), new RequestMetrics(), ticker, world.clock, workers);
        AtomicInteger sessions = new AtomicInteger(1_000 * id);
        throttles = new ReplicationThrottles(
                id,
                new ReplicationThrottles.Measure(world.clock, 11, 1_000),
                () -> leaderBytesPerSecond,
                () -> followerBytesPerSecond);
        metadata.metadata().onChange(throttles);
        fetch = new FetchHandler(path, FetchLimits.defaults(), sessions::incrementAndGet);
        isrChanges = new IsrChanges(
                new IsrChanges.Leader(
                        id,
                        this::brokerEpoch,
                        world.controller,
                        world.lagTimeMaxMs,
                        new IsrChanges.Time(ticker, workers)),
                partitions);
        fetch.whenShouldJoin(isrChanges::onDue);
        fetch.throttling(throttles.leader());
        fetchers = new ReplicaFetchers(
                new ReplicaFetchers.Follower(
                        id,
                        this::brokerEpoch,
                        broker -> connect(world, broker),
                        world.clock,
                        ticker,
                        workers,
                        throttles.follower()),
                SETTINGS,
                () -> 1,
                partitions);
        partitions.start();
        if (world.product == Product.CUTS_TO_THE_HIGH_WATERMARK) {
            metadata.metadata().onChange((change, image) -> cutToTheHighWatermark());
        }
        metadata.metadata().onChange(fetchers);
        isrChanges.start();
        new Rounds(ticker, workers, CHECKPOINT_MS, logs::checkpointHighWatermarks).start();
        world.network.listen(host(id), PORT, LISTENER, dispatcher(path, fetch));
    }

    private static HandlerDispatcher dispatcher(DataPath path, FetchHandler fetch) {
        return new HandlerDispatcher(
                () -> new ListenerSettings(List.of(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                new HandlerRegistry(LISTENER)
                        .add(List.of(fetch, new ListOffsetsHandler(path), new DeleteRecordsHandler(path))),
                new HandlerDispatcher.Measures(path.metrics(), path.clock()),
                List.of(fetch::onConnectionClosed),
                () -> {});
    }

    private PeerConnection connect(World world, int broker) {
        PeerConnection connection = world.network.connector(host(id)).connect(host(broker), PORT, "replica-" + id);
        return world.product == Product.TELLS_NO_EPOCH ? new EpochlessConnection(connection) : connection;
    }

    private void cutToTheHighWatermark() {
        for (LocalPartition partition : partitions.partitions()) {
            Integer before = epochsFollowed.put(partition.topicPartition(), partition.leaderEpoch());
            if (!partition.leads() && (before == null || before != partition.leaderEpoch())) {
                partition.following().truncateTo(partition.highWatermark(), partition.leaderEpoch());
            }
        }
    }

    private long brokerEpoch() {
        return metadata.image().broker(id).orElseThrow().epoch();
    }

    /** The process ends without a word; what it scheduled is not run. */
    void die() {
        alive = false;
    }

    boolean alive() {
        return alive;
    }

    LocalPartition partition(int index) {
        return Objects.requireNonNull(partitions.partition(new TopicPartition(ScriptedController.TOPIC, index)));
    }

    List<String> contents(int index) {
        return LogFixture.contents(partition(index).log());
    }

    void take(List<ApiMessage> records) {
        metadata.replay(records.toArray(new ApiMessage[0]));
    }
}
