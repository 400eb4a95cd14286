package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a start says, what it refuses with one clear line, what it listens on and what it costs. */
class StartTest {
    /** Resident memory of a broker that has started and idles, in bytes. */
    private static final long IDLE_BOUND = 450L << 20;

    private static final Duration REFUSAL = Duration.ofSeconds(120);

    @TempDir
    static Path dir;

    static BarnabasProcess broker;

    @BeforeAll
    static void start() throws Exception {
        broker = BarnabasProcess.start(
                dir.resolve("data"),
                Map.of(
                        "log.retention.hour", "5",
                        "process.roles", "broker,controller",
                        "controller.quorum.bootstrap.servers", "localhost:9093"));
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    @Test
    void an_unknown_key_is_warned_of_with_the_nearest_known_one() {
        assertThat(broker.output()
                        .lines()
                        .filter(line -> line.contains(" WARN ") && line.contains("log.retention.hour")))
                .singleElement()
                .asString()
                .contains("log.retention.hours");
    }

    @Test
    void keys_of_kraft_alone_are_accepted_with_a_word() {
        for (String key : List.of("process.roles", "controller.quorum.bootstrap.servers")) {
            assertThat(broker.output().lines().filter(line -> line.contains(key)))
                    .singleElement()
                    .asString()
                    .contains("no effect");
        }
    }

    @Test
    void a_start_speaks_of_the_broker_alone_and_ends_with_the_addresses() {
        assertThat(broker.output())
                .doesNotContain("JdbcRuntime", "virtual server", "Loading application", "\tat ", " ERROR ")
                .contains("Barnabas serves. Clients: " + broker.bootstrap() + "  Console: " + broker.http() + "/");
    }

    @Test
    void a_second_start_on_the_same_directory_is_refused() throws Exception {
        try (BarnabasProcess second = BarnabasProcess.launched(broker.data(), "second", Map.of())) {
            assertRefused(second, "data directory", broker.data().toString(), "in use");
        }
        assertThat(broker.alive()).isTrue();
    }

    @Test
    void a_port_in_use_is_refused() throws Exception {
        Map<String, String> taken = Map.of("listeners", "PLAINTEXT://" + broker.bootstrap());
        try (BarnabasProcess second = BarnabasProcess.launched(dir.resolve("port"), "port", taken)) {
            assertRefused(second, broker.bootstrap(), "listeners");
        }
    }

    @Test
    void a_directory_that_cannot_be_made_is_refused() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        try (BarnabasProcess second = BarnabasProcess.launched(file.resolve("data"), "below-a-file", Map.of())) {
            assertRefused(second, "data directory", file.resolve("data").toString());
        }
    }

    @Test
    void a_directory_that_cannot_be_written_is_refused() throws Exception {
        Path readOnly = Files.createDirectory(dir.resolve("read-only"));
        assertThat(readOnly.toFile().setWritable(false)).isTrue();
        // root may write everywhere but into /proc
        Path unwritable = Files.isWritable(readOnly) ? Path.of("/proc") : readOnly;
        try (BarnabasProcess second = BarnabasProcess.launched(unwritable, "read-only", Map.of())) {
            assertRefused(second, "data directory", unwritable.toString(), "cannot be");
        }
    }

    @Test
    void a_value_that_is_not_allowed_names_key_value_and_what_is_allowed() throws Exception {
        Map<String, String> bad = Map.of("compression.type", "zip");
        try (BarnabasProcess second = BarnabasProcess.launched(dir.resolve("bad"), "bad", bad)) {
            assertRefused(second, "compression.type", "zip", "gzip", "producer");
        }
    }

    @Test
    void every_listening_port_is_on_loopback() throws Exception {
        assumeTrue(Sockets.visible(), "the kernel's socket table (/proc/net/tcp) is not readable here");
        assertThat(Sockets.openedBy(broker.pid()))
                .as("open addresses")
                .hasSizeGreaterThanOrEqualTo(2)
                .allMatch(Sockets::isLoopback);
    }

    /** Two threads that do so at once fail the start; see domain.xml. */
    @Test
    void the_container_finds_all_its_configuration_and_makes_none() throws Exception {
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(broker.pid()),
                        "VM.class_hierarchy")
                .redirectErrorStream(true)
                .start();
        String loaded = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(loaded)
                .as("the class that looks for configuration, and the one that makes what is not there")
                .contains("com.sun.enterprise.config.modularity.parser.ModuleConfigurationLoader/")
                .doesNotContain("com.sun.enterprise.config.modularity.parser.ModuleConfigurationLoader$1/");
    }

    @Test
    void an_idle_broker_is_resident_within_a_bound() {
        Awaitility.await("resident memory settles")
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(broker.residentBytes()).isLessThan(IDLE_BOUND));
    }

    private static void assertRefused(BarnabasProcess process, String... words) throws Exception {
        assertThat(process.awaitExit(REFUSAL))
                .as("exit code; output:\n%s", process.output())
                .isEqualTo(1);
        assertThat(process.output())
                .as("no stack trace, nothing of the container's")
                .doesNotContain("\tat ", " ERROR ");
        String last = process.output()
                .lines()
                .filter(line -> line.startsWith("barnabas: "))
                .findFirst()
                .orElse("");
        assertThat(last)
                .as("the line for the operator in:\n%s", process.output())
                .contains(words);
    }
}
