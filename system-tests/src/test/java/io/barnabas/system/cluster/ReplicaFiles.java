package io.barnabas.system.cluster;

import io.barnabas.system.cluster.ReplicaLog.Extent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;

/** The replicas of partitions as they lie on the disks of the nodes: the same everywhere, when all are in sync. */
final class ReplicaFiles {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private ReplicaFiles() {}

    /**
     * A replica that is not as it should be.
     *
     * @param partition its name, which is that of its folder
     */
    record Difference(String partition, int node, String what) {
        @Override
        public String toString() {
            return partition + " of node " + node + " " + what;
        }
    }

    /**
     * Which replicas differ from the first of their partition, or are damaged, be it after a while.
     *
     * @param extent to the end, when nobody writes
     */
    static List<Difference> differences(Cluster cluster, Collection<String> topics, Extent extent) throws Exception {
        long until = System.nanoTime() + PATIENCE.toNanos();
        List<Difference> differences = new ArrayList<>();
        for (String topic : topics) {
            boolean compacted = isCompacted(cluster, topic);
            for (TopicPartitionInfo partition : cluster.partitions(topic)) {
                String name = topic + "-" + partition.partition();
                List<Integer> nodes =
                        partition.replicas().stream().map(Node::id).toList();
                List<Difference> found = look(cluster, name, nodes, compacted, extent);
                while (!found.isEmpty() && System.nanoTime() < until) {
                    Pause.of(Duration.ofMillis(200));
                    found = look(cluster, name, nodes, compacted, extent);
                }
                differences.addAll(found);
            }
        }
        return differences;
    }

    private static boolean isCompacted(Cluster cluster, String topic) throws ExecutionException, InterruptedException {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config config = cluster.admin()
                .describeConfigs(List.of(resource))
                .values()
                .get(resource)
                .get();
        return config.get("cleanup.policy").value().contains("compact");
    }

    private static List<Difference> look(
            Cluster cluster, String name, List<Integer> nodes, boolean compacted, Extent extent) {
        return differences(
                name,
                nodes.stream()
                        .collect(Collectors.toMap(
                                id -> id, id -> cluster.node(id).place().data().resolve(name))),
                compacted,
                extent);
    }

    /**
     * The same for one partition.
     *
     * @param folders of its replicas by their nodes
     */
    static List<Difference> differences(String name, Map<Integer, Path> folders, boolean compacted, Extent extent) {
        List<Difference> found = new ArrayList<>();
        int first = -1;
        ReplicaLog model = null;
        for (int node : folders.keySet().stream().sorted().toList()) {
            try {
                ReplicaLog log = ReplicaLog.read(folders.get(node), compacted);
                if (log.flaw().isPresent()) {
                    found.add(new Difference(
                            name, node, "is damaged: " + log.flaw().get()));
                } else if (model == null) {
                    model = log;
                    first = node;
                } else {
                    String unlike = "differs from that of node " + first + ": ";
                    log.differenceFrom(model, extent)
                            .ifPresent(what -> found.add(new Difference(name, node, unlike + what)));
                }
            } catch (IOException | UncheckedIOException gone) {
                found.add(new Difference(name, node, "cannot be read: " + gone));
            }
        }
        return found;
    }
}
