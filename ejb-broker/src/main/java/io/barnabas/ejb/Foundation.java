package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.config.QuorumVoter;
import io.barnabas.grid.Grid;
import io.barnabas.grid.VoterSearch;
import io.barnabas.metadata.ControllerService;
import io.barnabas.metadata.Membership;
import io.barnabas.metadata.MetadataNode;
import io.barnabas.metadata.MetadataNodeSettings;
import io.barnabas.metadata.RatisSettings;
import io.barnabas.port.BrokerPort;
import io.barnabas.port.ClusterKey;
import io.barnabas.time.SerialExecutor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * What a broker stands on before it has any partition: the metadata, the other nodes, its own place among them. Opened first of all by
 * {@link BrokerNode}, and closed last.
 */
record Foundation(MetadataNode metadata, PeerParts peers, Membership membership) implements AutoCloseable {
    /** The metadata's directory under the first data directory. */
    private static final String METADATA_DIRECTORY = "metadata";

    private static final int COMMANDS_INLINE = 16;

    /** @throws IOException if the metadata's directory cannot be used, with the reason for the operator as its message */
    static Foundation open(BrokerPort port, LiveConfig config, Grid grid, FailStop failStop) throws IOException {
        @Nullable ClusterKey key = clusterKey(config.atStart());
        if (key != null) {
            port.secure(key);
        }
        if (config.atStart().isOneOfSeveral()) {
            port.clock().unsettle();
        }
        SerialExecutor controller = new SerialExecutor(port.workers(), COMMANDS_INLINE, failStop::onFailure);
        MetadataNode metadata = MetadataNode.open(
                metadataSettings(config.atStart(), voters(config.atStart(), grid, port), key),
                Uuid::randomUuid,
                task -> port.workers().execute(() -> controller.execute(task)),
                failStop::onFailure,
                port::closing);
        ControllerService.Time time = new ControllerService.Time(port.clock(), port.ticker());
        ControllerService service = ControllerService.of(metadata, config, time);
        PeerParts peers = new PeerParts(port, config.atStart(), metadata, service);
        service.probeBy(peers.probe());
        return new Foundation(
                metadata, peers, Membership.of(metadata.metadata(), config, service, peers.channel(), time));
    }

    /**
     * What nodes know each other by; null if they talk in the clear.
     *
     * @throws IOException if the file that is named cannot be used, with the reason for the operator as its message
     */
    static @Nullable ClusterKey clusterKey(BrokerConfig config) throws IOException {
        @Nullable Path file = config.clusterKey();
        return file == null ? null : ClusterKey.read(file);
    }

    static Path metadataDirectory(BrokerConfig config) {
        return config.logDirs().get(0).resolve(METADATA_DIRECTORY);
    }

    /** As configured; or as the data grid says, of a broker that is not told. */
    private static List<QuorumVoter> voters(BrokerConfig config, Grid grid, BrokerPort port) throws IOException {
        return config.seeksVoters() ? VoterSearch.await(grid, config.nodeId(), port::closing) : config.quorumVoters();
    }

    /** @param named the voters; empty of a node that is alone */
    static MetadataNodeSettings metadataSettings(
            BrokerConfig config, List<QuorumVoter> named, @Nullable ClusterKey key) {
        Path directory = metadataDirectory(config);
        List<RatisSettings.Voter> voters = named.stream().map(Foundation::voter).toList();
        MetadataNodeSettings settings = voters.isEmpty()
                ? MetadataNodeSettings.oneNode(directory, config.nodeId(), null)
                : MetadataNodeSettings.member(directory, voter(config.quorumSelf()), voters);
        return settings.withMinInSync(config.getInt("min.insync.replicas"))
                .securedBy(key == null ? null : new RatisSettings.Keys(key.keys(), key.trust(), ClusterKey.PROTOCOL));
    }

    private static RatisSettings.Voter voter(QuorumVoter voter) {
        return new RatisSettings.Voter(voter.nodeId(), voter.host(), voter.port());
    }

    @Override
    public void close() {
        membership.close();
        peers.close();
        metadata.close();
    }
}
