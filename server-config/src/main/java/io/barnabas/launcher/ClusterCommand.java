package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs several brokers on this machine that form one cluster, to try one out: each node a process, as on a machine of its own. */
@Command(
        name = "cluster",
        description = "Runs a cluster of several brokers on this machine, to try one out.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Node i listens for clients on PORT + 10(i-1), for the other brokers one port further, for the quorum two ports"
                    + " further; its console is on HTTP-PORT + 10(i-1). Its data is in DIR/i, its settings in"
                    + " DIR/node-i.properties, with which it can be started again alone: barnabas run --config"
                    + " DIR/node-i.properties. Ctrl-C stops all nodes, one after another."
        })
final class ClusterCommand implements Runnable {
    /** Several nodes must fit into the memory of an ordinary machine; an operator's own -Xmx stands behind this and wins. */
    private static final String HEAP_OF_ONE_OF_SEVERAL = "-Xmx512m";

    @Option(
            names = {"-n", "--nodes"},
            paramLabel = "N",
            description = "How many, 1 to 9; 3 without this.")
    private int nodes = 3;

    @Option(
            names = {"-d", "--data"},
            paramLabel = "DIR",
            description = "The directory of the nodes' data directories (./cluster).")
    private Path data = Path.of("cluster");

    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            description = "First port for clients (9092).")
    private int port = 9092;

    @Option(names = "--http-port", paramLabel = "HTTP-PORT", description = "First port of the consoles (8080).")
    private int httpPort = 8080;

    @Option(
            names = {"-s", "--set"},
            paramLabel = "KEY=VALUE",
            description = "A setting of every node. May be repeated.")
    private Map<String, String> set = new LinkedHashMap<>();

    @Override
    public void run() {
        ClusterLayout layout = new ClusterLayout(nodes, data, port, httpPort, set);
        List<Settings> settings = new ArrayList<>();
        for (int node = 1; node <= nodes; node++) {
            settings.add(settings(layout, node));
        }
        settings.forEach(one -> Preflight.check(one).forEach(warning -> System.err.println("barnabas: " + warning)));
        System.out.println(
                "Barnabas " + Version.ofJar() + " starts a cluster of " + nodes + ". Data: " + layout.data());
        RuntimeFolder runtime = RuntimeFolder.ofThisJar();
        LocalCluster cluster = new LocalCluster(System.out);
        Thread stop = new Thread(cluster::stop, "stopping");
        Runtime.getRuntime().addShutdownHook(stop);
        for (int node = 1; node <= nodes; node++) {
            cluster.start(node, ServerProcess.of(settings.get(node - 1), runtime, options(runtime)));
        }
        accompany(cluster, layout);
    }

    private void accompany(LocalCluster cluster, ClusterLayout layout) {
        String again = "barnabas run --config " + layout.data() + "/node-%d.properties";
        try {
            if (cluster.awaitServing()) {
                System.out.println("The cluster serves. bootstrap.servers=" + layout.bootstrap() + "  Consoles: "
                        + layout.consoles() + "  Ctrl-C stops it.");
            }
            cluster.lookOn(again);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private List<String> options(RuntimeFolder runtime) {
        List<String> options = new ArrayList<>();
        if (nodes > 1) {
            options.add(HEAP_OF_ONE_OF_SEVERAL);
        }
        options.addAll(ServerProcess.archiveOptions(runtime));
        return options;
    }

    /** Writes the node's file and reads it as {@code run --config} would. */
    private static Settings settings(ClusterLayout layout, int node) {
        Path file = layout.file(node);
        try {
            Files.createDirectories(layout.data());
            Files.writeString(file, layout.fileContent(node));
        } catch (IOException e) {
            throw new Refusal("the data directory " + layout.data() + " cannot be written: " + e.getMessage()
                    + "; name another with --data");
        }
        Settings settings = Settings.read(file, Map.of());
        for (String key : layout.fixed(node)) {
            if (!settings.whereSet(key).equals(Optional.of(file.toString()))) {
                throw new Refusal("the " + settings.whereSet(key).orElse("environment") + " sets " + key
                        + ", which barnabas cluster sets for each node: take it away there");
            }
        }
        return settings;
    }
}
