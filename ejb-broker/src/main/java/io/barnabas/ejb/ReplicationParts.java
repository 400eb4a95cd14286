package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.log.LogManager;
import io.barnabas.metadata.BrokerImage.Endpoint;
import io.barnabas.metadata.Membership;
import io.barnabas.metadata.Metadata;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.ReplicationThrottles;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.PeerConnection;
import io.barnabas.replication.CutOffLeader;
import io.barnabas.replication.FetcherSettings;
import io.barnabas.replication.IsrChanges;
import io.barnabas.replication.ReplicaFetchers;
import io.barnabas.replication.ReplicationFigures;
import io.barnabas.request.FetchHandler;
import io.barnabas.request.PreferredReplicas;
import io.barnabas.time.Rounds;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Puts together what copies partitions from and to other brokers, for {@link BrokerNode}. */
final class ReplicationParts implements AutoCloseable {
    private final BrokerPort port;
    private final BrokerConfig atStart;
    private final LiveConfig config;
    private final LogManager logs;
    private final Metadata metadata;
    private final LocalPartitions partitions;
    private final ReplicationThrottles throttles;
    private final ReplicaFetchers fetchers;
    private final IsrChanges changes;
    private final CutOffLeader cutOff;
    private final Rounds checkpoints;
    private final PreferredReplicas preferred;
    private final long silentMs;

    ReplicationParts(
            BrokerPort port, LiveConfig config, Membership membership, LogManager logs, LocalPartitions partitions) {
        this.port = port;
        this.config = config;
        this.logs = logs;
        this.partitions = partitions;
        this.atStart = config.atStart();
        this.metadata = membership.metadata();
        this.throttles = new ReplicationThrottles(
                atStart.nodeId(),
                new ReplicationThrottles.Measure(
                        port.clock(),
                        atStart.getInt("replication.quota.window.num"),
                        1_000L * atStart.getInt("replication.quota.window.size.seconds")),
                () -> config.current().getLong("leader.replication.throttled.rate"),
                () -> config.current().getLong("follower.replication.throttled.rate"));
        this.fetchers = new ReplicaFetchers(
                new ReplicaFetchers.Follower(
                        atStart.nodeId(),
                        membership.registration()::epoch,
                        this::connect,
                        port.clock(),
                        port.ticker(),
                        port.workers(),
                        throttles.follower()),
                FetcherSettings.of(atStart),
                () -> config.current().getInt("num.replica.fetchers"),
                partitions);
        IsrChanges.Time time = new IsrChanges.Time(port.ticker(), port.workers());
        this.changes = new IsrChanges(
                new IsrChanges.Leader(
                        atStart.nodeId(),
                        membership.registration()::epoch,
                        membership.channel(),
                        atStart.getLong("replica.lag.time.max.ms"),
                        time),
                partitions);
        this.cutOff = new CutOffLeader(
                membership.registration()::sessionIsOver,
                atStart.getInt("replica.fetch.wait.max.ms"),
                partitions,
                time);
        // Longer than a leader lets a fetch wait, and shorter than a session.
        this.silentMs = Math.max(
                atStart.getInt("broker.session.timeout.ms") / 2, 2 * atStart.getInt("replica.fetch.wait.max.ms"));
        this.preferred = PreferredReplicas.load(atStart, metadata);
        // After a crash a replica shows at once what is below the last ones, before it has heard of anybody.
        // They are low by what was committed since, never high.
        this.checkpoints = new Rounds(
                port.ticker(),
                port.workers(),
                Math.max(1, atStart.getLong("replica.high.watermark.checkpoint.interval.ms")),
                logs::checkpointHighWatermarks);
    }

    /** After the partitions, which take the same metadata before. */
    void begin(FetchHandler fetch) {
        fetch.whenShouldJoin(changes::onDue);
        fetch.preferring(preferred);
        fetch.throttling(throttles.leader());
        partitions.thenTell(throttles);
        partitions.thenTell(fetchers);
        changes.start();
        cutOff.start();
        checkpoints.start();
        logs.boundMoves(() -> config.current().getLong("replica.alter.log.dirs.io.max.bytes.per.second"));
    }

    private @Nullable PeerConnection connect(int broker) {
        String listener = atStart.listeners().interBroker();
        return metadata.image()
                .broker(broker)
                .flatMap(image -> image.endpoints().stream()
                        .filter(endpoint -> Objects.equals(endpoint.listener(), listener) && endpoint.port() != 0)
                        .findFirst())
                .map(this::connect)
                .orElse(null);
    }

    private PeerConnection connect(Endpoint endpoint) {
        return port.peers().connect(endpoint.host(), endpoint.port(), "broker-" + atStart.nodeId());
    }

    /** Leaders of which nothing is heard: the controller fences them soon, and clients that are sent there would hang. */
    Set<Integer> silentLeaders() {
        return fetchers.silentLeaders(silentMs);
    }

    ReplicationFigures figures() {
        return new ReplicationFigures(
                changes.shrinks(),
                changes.expands(),
                changes.failures(),
                fetchers.lagRecordsMax(),
                throttles.follower().copiedBytes(),
                throttles.leader().copiedBytes());
    }

    @Override
    public void close() {
        fetchers.close();
        changes.close();
        cutOff.close();
        checkpoints.close();
    }
}
