package io.barnabas.system.cluster;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/** Apache Kafka with its defaults, every node broker and controller: what there is to compare with. */
final class KafkaProduct implements Product {
    private static final String HEAP = "-Xmx512m";

    private final Path libraries;
    private final Map<String, String> settings;
    private final String clusterId = Uuid.randomUuid().toString();
    private List<Place> all = List.of();

    /**
     * @param libraries the folder with the broker's jars
     * @param settings for every node, beside its own
     */
    KafkaProduct(Path libraries, Map<String, String> settings) {
        this.libraries = libraries;
        this.settings = Map.copyOf(settings);
    }

    @Override
    public String name() {
        return "Kafka";
    }

    @Override
    public void format(List<Place> places) throws Exception {
        all = places;
        for (Place node : places) {
            formatAgain(node);
        }
    }

    @Override
    public void formatAgain(Place node) throws Exception {
        Files.createDirectories(node.directory());
        Files.writeString(properties(node), properties(node, all));
        Files.writeString(logging(node), logging());
        List<String> command = List.of(
                Product.java(),
                "-Dlog4j2.configurationFile=" + logging(node),
                "-cp",
                libraries + "/*",
                "kafka.tools.StorageTool",
                "format",
                "-t",
                clusterId,
                "-c",
                properties(node).toString());
        Process format = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(node.directory().resolve("format.out").toFile())
                .start();
        if (format.waitFor() != 0) {
            throw new IllegalStateException("cannot format, see " + node.directory());
        }
    }

    @Override
    public Map<String, String> forced() {
        return Map.of("flush.messages", "1");
    }

    @Override
    public Map<String, String> forcedEverywhere() {
        return Map.of("log.flush.interval.messages", "1");
    }

    @Override
    public boolean mends() {
        return false;
    }

    @Override
    public boolean votes(Cluster cluster, Node node) {
        return true; // a voter by its number alone, whatever it has forgotten
    }

    @Override
    public List<String> command(Place node, List<Place> all) {
        return List.of(
                Product.java(),
                HEAP,
                "-server",
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35",
                "-XX:+ExplicitGCInvokesConcurrent",
                "-Djava.awt.headless=true",
                "-Dlog4j2.configurationFile=" + logging(node),
                "-cp",
                libraries + "/*",
                "kafka.Kafka",
                properties(node).toString());
    }

    private String properties(Place node, List<Place> all) {
        String listeners = "PLAINTEXT://" + node.bootstrap() + ",CONTROLLER://" + node.host() + ":"
                + node.ports().quorum();
        int replicas = Math.min(3, all.size());
        return String.join(
                "\n",
                "process.roles=broker,controller",
                "node.id=" + node.id(),
                "listeners=" + listeners,
                "advertised.listeners=" + listeners,
                "inter.broker.listener.name=PLAINTEXT",
                "controller.listener.names=CONTROLLER",
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                "controller.quorum.voters=" + Product.voters(all),
                "log.dirs=" + node.data(),
                "log.retention.check.interval.ms=" + RETENTION_CHECK_MS,
                "offsets.topic.replication.factor=" + replicas,
                "transaction.state.log.replication.factor=" + replicas,
                "share.coordinator.state.topic.replication.factor=" + replicas,
                settings.entrySet().stream().map(Object::toString).collect(Collectors.joining("\n")),
                "");
    }

    private static String logging() {
        return """
                Configuration:
                  Appenders:
                    Console:
                      name: C
                      PatternLayout: { pattern: "[%d] %p %m (%c)%n" }
                  Loggers:
                    Root: { level: WARN, AppenderRef: { ref: C } }
                """;
    }

    private static Path properties(Place node) {
        return node.directory().resolve("server.properties");
    }

    private static Path logging(Place node) {
        return node.directory().resolve("log4j2.yaml");
    }
}
