package io.barnabas.start;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.config.BrokerConfig;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What compose.yaml and docs/cluster.md have one copy is a configuration that the broker takes, without a word of warning. */
class ClusterPagesTest {
    private static final Path TOP = Path.of("..");
    private static final Set<String> OF_THE_LAUNCHER = Set.of("BARNABAS_RUNTIME", "BARNABAS_OPTS");
    private static final Pattern VARIABLE = Pattern.compile(" +([A-Z][A-Z_]+): \"?([^\"]*)\"?");

    private static Map<String, String> variables(List<String> lines) {
        Map<String, String> found = new HashMap<>();
        for (String line : lines) {
            Matcher variable = VARIABLE.matcher(line);
            if (variable.matches()) {
                found.put(variable.group(1), variable.group(2));
            }
        }
        return found;
    }

    /** The lines of a block that begins with {@code head} and ends with an empty line or one of the next service. */
    private static List<String> block(List<String> lines, String head) {
        int from = lines.indexOf(head) + 1;
        assertThat(from).as(head).isPositive();
        return lines.subList(from, lines.size()).stream()
                .takeWhile(line -> !line.isBlank() && !line.matches("  node\\d:"))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void compose_starts_three_nodes_of_one_quorum_that_clients_reach_where_they_are_told(int node) throws IOException {
        List<String> lines = Files.readAllLines(TOP.resolve("compose.yaml"));
        List<String> service = block(lines, "  node" + node + ":");
        Map<String, String> environment = new HashMap<>(variables(block(lines, "x-settings: &settings")));
        environment.putAll(variables(service));

        assertThat(environment.keySet().stream().filter(name -> !OF_THE_LAUNCHER.contains(name)))
                .isSubsetOf(BrokerConfig.knownKeys().stream()
                        .map(key -> key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"))
                        .collect(Collectors.toSet()));
        Settings settings = Settings.read(null, Map.of(), environment);
        BrokerConfig config = BrokerConfig.of(settings.all(BrokerConfig.knownKeys()));
        assertThat(config.warnings()).isEmpty();
        assertThat(settings.get("node.id")).isEqualTo("" + node);
        assertThat(settings.get(Settings.VOTERS)).isEqualTo("1@node1:9094,2@node2:9094,3@node3:9094");
        int clients = 9092 + 10 * (node - 1);
        assertThat(settings.get("advertised.listeners")).startsWith("PLAINTEXT://localhost:" + clients + ",");
        assertThat(service).anyMatch(line -> line.contains("\"127.0.0.1:" + clients + ":9092\""));
    }

    @Test
    void the_file_for_one_of_three_machines_is_taken() throws IOException {
        String file = Files.readAllLines(TOP.resolve("docs/cluster.md")).stream()
                .dropWhile(line -> !line.equals("## On three machines"))
                .dropWhile(line -> !line.startsWith("    "))
                .takeWhile(line -> line.startsWith("    "))
                .map(String::strip)
                .collect(Collectors.joining("\n"));
        Properties properties = new Properties();
        properties.load(new StringReader(file));
        Map<String, String> settings = new HashMap<>();
        properties.stringPropertyNames().forEach(key -> settings.put(key, properties.getProperty(key)));

        assertThat(settings).hasSizeGreaterThan(9).containsEntry("node.id", "1");
        assertThat(BrokerConfig.of(settings).warnings()).isEmpty();
    }
}
