package io.barnabas.system.cluster;

import io.barnabas.system.BarnabasProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.RaftVoterEndpoint;
import org.apache.kafka.common.Uuid;

/** The real {@code barnabas.jar}, each node set up as a machine of its own would be. */
final class BarnabasProduct implements Product {
    /** Three nodes, a producer and a reader share a small machine. */
    private static final String HEAP = "-Xmx400m";

    private final Map<String, String> settings;
    private final Path jar;

    /** @param settings for every node, beside its own */
    BarnabasProduct(Map<String, String> settings) {
        this(settings, BarnabasProcess.jar());
    }

    /**
     * Some release.
     *
     * @param jar its {@code barnabas.jar}
     */
    BarnabasProduct(Map<String, String> settings, Path jar) {
        this.settings = Map.copyOf(settings);
        this.jar = jar.toAbsolutePath().normalize();
    }

    @Override
    public String name() {
        return "Barnabas";
    }

    @Override
    public void format(List<Place> places) {
        // nothing: a node finds out by itself whether its directory is new
    }

    @Override
    public void formatAgain(Place node) {
        // nothing: it finds out by itself
    }

    @Override
    public Map<String, String> forced() {
        return Map.of("barnabas.durability", "fsync");
    }

    @Override
    public Map<String, String> forcedEverywhere() {
        return Map.of("barnabas.durability", "fsync");
    }

    @Override
    public boolean votes(Cluster cluster, Node node) throws ExecutionException, InterruptedException {
        QuorumInfo quorum =
                cluster.admin().describeMetadataQuorum().quorumInfo().get();
        List<Uuid> present = quorum.observers().stream()
                .filter(each -> each.replicaId() == node.id())
                .map(QuorumInfo.ReplicaState::replicaDirectoryId)
                .toList();
        for (Uuid directory : present) {
            cluster.admin()
                    .addRaftVoter(
                            node.id(),
                            directory,
                            Set.of(new RaftVoterEndpoint(
                                    "CONTROLLER",
                                    node.place().host(),
                                    node.place().ports().quorum())))
                    .all()
                    .get();
        }
        return present.isEmpty() && quorum.voters().stream().anyMatch(voter -> voter.replicaId() == node.id());
    }

    @Override
    public List<String> command(Place node, List<Place> all) {
        List<String> command = new ArrayList<>(List.of(Product.java(), HEAP, "-jar", jar.toString(), "run"));
        ofNode(node, all).forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        settings.forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        return command;
    }

    private static Map<String, String> ofNode(Place node, List<Place> all) {
        Map<String, String> own = new LinkedHashMap<>();
        own.put("log.retention.check.interval.ms", RETENTION_CHECK_MS);
        own.put("node.id", Integer.toString(node.id()));
        own.put("log.dirs", node.data().toString());
        own.put("barnabas.http.port", Integer.toString(node.ports().http()));
        own.put("barnabas.http.host", node.host());
        if (all.size() == 1) {
            own.put("listeners", "PLAINTEXT://" + node.bootstrap());
            return own;
        }
        own.put("controller.quorum.voters", Product.voters(all));
        own.put(
                "listeners",
                "PLAINTEXT://" + node.bootstrap() + ",INTERNAL://" + node.host() + ":"
                        + node.ports().brokers());
        own.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT");
        own.put("inter.broker.listener.name", "INTERNAL");
        return own;
    }
}
