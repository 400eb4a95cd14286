package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which node of a cluster on one machine has which directory, ports and settings. Node i has the ports of node 1, each {@code 10·(i−1)}
 * further: for clients {@code port}, for other brokers one more, for the quorum two more, and the console's.
 *
 * @param nodes how many: the first of them vote on metadata, 1 of two, 3 of three and four, 5 of more
 * @param data the directory that has one for each node, named by its number
 * @param port of node 1 for clients
 * @param httpPort of node 1's console
 * @param set for all nodes alike
 */
record ClusterLayout(int nodes, Path data, int port, int httpPort, Map<String, String> set) {
    static final int STEP = 10;

    private static final int NODES_MAX = 9;
    private static final String HOST = "127.0.0.1";
    private static final int PORT_MAX = 65535;
    private static final int REPLICAS = 3;
    private static final int VOTERS_MAX = 5;
    private static final int IN_SYNC = 2;

    /** The default takes a quarter of a small heap. */
    private static final String DEDUPE_BUFFER_BYTES = Integer.toString(32 << 20);

    /** @throws Refusal if such a cluster cannot be */
    ClusterLayout {
        if (nodes < 1 || nodes > NODES_MAX) {
            throw new Refusal("a cluster on one machine has 1 to " + NODES_MAX + " nodes, not " + nodes);
        }
        data = data.toAbsolutePath().normalize();
        set = Map.copyOf(set);
        checkPorts(ports(nodes, port, httpPort));
        for (String key : new TreeSet<>(set.keySet())) {
            if (own(1, nodes, data, port, httpPort).containsKey(key)) {
                throw new Refusal("--set " + key + " cannot be the same for all nodes; barnabas cluster sets it");
            }
        }
    }

    private static List<Integer> ports(int nodes, int port, int httpPort) {
        return IntStream.range(0, nodes)
                .map(i -> i * STEP)
                .boxed()
                .flatMap(further ->
                        List.of(port + further, port + 1 + further, port + 2 + further, httpPort + further).stream())
                .toList();
    }

    private static void checkPorts(List<Integer> ports) {
        Set<Integer> different = new HashSet<>();
        for (int port : ports) {
            if (port < 1 || port > PORT_MAX) {
                throw new Refusal("the cluster would need port " + port + ", and there are only 1 to " + PORT_MAX
                        + ": choose others with --port and --http-port");
            }
            if (!different.add(port)) {
                throw new Refusal("the cluster would need port " + port
                        + " twice: choose others with --port and --http-port, further apart");
            }
        }
    }

    /** All that is configured for a node: what is its own, and what is set for all. */
    Map<String, String> settings(int node) {
        Map<String, String> settings = new LinkedHashMap<>(own(node, nodes, data, port, httpPort));
        if (nodes >= REPLICAS) {
            settings.put("log.cleaner.dedupe.buffer.size", DEDUPE_BUFFER_BYTES);
            settings.put("default.replication.factor", Integer.toString(REPLICAS));
            settings.put("min.insync.replicas", Integer.toString(IN_SYNC));
        }
        settings.putAll(set);
        return settings;
    }

    /** The keys that no environment may set otherwise: what is the node's own, and what was said on the command line. */
    Set<String> fixed(int node) {
        Set<String> keys = new TreeSet<>(own(node, nodes, data, port, httpPort).keySet());
        keys.addAll(set.keySet());
        return keys;
    }

    private static Map<String, String> own(int node, int nodes, Path data, int port, int httpPort) {
        int further = (node - 1) * STEP;
        Map<String, String> own = new LinkedHashMap<>();
        own.put("node.id", Integer.toString(node));
        own.put(Settings.LOG_DIRS, data.resolve(Integer.toString(node)).toString());
        own.put(Settings.HTTP_PORT, Integer.toString(httpPort + further));
        String clients = "PLAINTEXT://" + HOST + ":" + (port + further);
        if (nodes == 1) {
            own.put(Settings.LISTENERS, clients);
            return own;
        }
        own.put(Settings.LISTENERS, clients + ",INTERNAL://" + HOST + ":" + (port + 1 + further));
        own.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT");
        own.put("inter.broker.listener.name", "INTERNAL");
        own.put(
                "controller.quorum.voters",
                IntStream.range(0, voters(nodes))
                        .mapToObj(i -> (i + 1) + "@" + HOST + ":" + (port + 2 + i * STEP))
                        .collect(Collectors.joining(",")));
        return own;
    }

    private static int voters(int nodes) {
        return nodes < REPLICAS ? 1 : nodes < VOTERS_MAX ? REPLICAS : VOTERS_MAX;
    }

    /** Where a node's settings are written down, so that it can be started again alone. */
    Path file(int node) {
        return data.resolve("node-" + node + ".properties");
    }

    /** The text of {@link #file}. */
    String fileContent(int node) {
        List<String> lines = new ArrayList<>();
        lines.add("# Node " + node + " of " + nodes
                + ", as barnabas cluster starts it; written anew at each of its starts.");
        settings(node).forEach((key, value) -> lines.add(key + "=" + escaped(value)));
        return String.join("\n", lines) + "\n";
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    }

    /** What a client is given. */
    String bootstrap() {
        return IntStream.range(0, nodes)
                .mapToObj(i -> HOST + ":" + (port + i * STEP))
                .collect(Collectors.joining(","));
    }

    /** Where the consoles are. */
    String consoles() {
        return IntStream.range(0, nodes)
                .mapToObj(i -> "http://" + HOST + ":" + (httpPort + i * STEP) + "/")
                .collect(Collectors.joining(" "));
    }
}
