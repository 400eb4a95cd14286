package io.barnabas.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line: what it refuses, with one line and an exit code, before any server is started. */
class BarnabasTest {
    private static final int COULD_NOT = 1;
    private static final int WRONG_ARGUMENTS = 2;
    private static final int NOT_RUNNING = 3;

    @TempDir
    Path dir;

    private final PrintStream out = System.out;
    private final PrintStream err = System.err;
    private final ByteArrayOutputStream told = new ByteArrayOutputStream();
    private final ByteArrayOutputStream refused = new ByteArrayOutputStream();

    @BeforeEach
    void listen() {
        System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(refused, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() {
        System.setOut(out);
        System.setErr(err);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ruin", "run --dato x", "run --set foo", "run --http-port abc", "status --what", "--dato x"})
    void arguments_that_are_wrong_are_refused_in_one_line_that_points_to_the_help(String line) {
        assertRefused(WRONG_ARGUMENTS, "--help").run(line.split(" "));
    }

    @Test
    void help_and_version_are_told() {
        assertThat(Barnabas.execute("--help")).isZero();
        assertThat(Barnabas.execute("run", "--help")).isZero();
        assertThat(Barnabas.execute("cluster", "--help")).isZero();
        assertThat(Barnabas.execute("--version")).isZero();
        assertThat(told.toString(StandardCharsets.UTF_8))
                .contains("run", "start", "stop", "status", "topics", "groups", "prepare", "cluster", "cluster-key")
                .contains("--config", "--set", "--http-port", "--data", "--nodes", "PORT + 10(i-1)")
                .contains("Apache Kafka 4.4");
    }

    @Test
    void a_key_of_a_cluster_is_made_once_and_is_for_its_owners_eyes_only() throws Exception {
        Path key = dir.resolve("cluster.pem");
        assertThat(Barnabas.execute("cluster-key", key.toString())).isZero();
        assertThat(Files.readString(key))
                .startsWith("-----BEGIN PRIVATE KEY-----\n")
                .contains("\n-----BEGIN CERTIFICATE-----\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
                .isEqualTo("rw-------");
        try (DefaultSslEngineFactory reader = new DefaultSslEngineFactory()) {
            ConfigDef keys = new ConfigDef();
            SslConfigs.addClientSslSupport(keys);
            reader.configure(keys.parse(Map.of("ssl.keystore.type", "PEM", "ssl.keystore.location", key.toString())));
            assertThat(reader.keystore().size()).isEqualTo(1);
        }
        assertRefused(COULD_NOT, "exists already").run("cluster-key", key.toString());
    }

    @Test
    void two_ways_to_name_the_data_directory_must_agree() {
        assertRefused(COULD_NOT, "--data", "log.dirs=/other", "contradict")
                .run("--data", data(), "--set", "log.dirs=/other");
        assertRefused(COULD_NOT, "--data", "log.dir=/other", "contradict")
                .run("--data", data(), "--set", "log.dir=/other");
    }

    @Test
    void two_ways_to_name_the_consoles_port_must_agree() {
        assertRefused(COULD_NOT, "--http-port", "barnabas.http.port=3", "contradict")
                .run("run", "--http-port", "4", "--set", "barnabas.http.port=3");
    }

    @Test
    void a_file_in_the_place_of_the_data_directory_is_refused() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));

        assertRefused(COULD_NOT, file.toString(), "is a file", "--data").run("run", "--data", file.toString());
        assertRefused(COULD_NOT, file.toString(), "cannot be made", "--data").run("run", "--data", file + "/below");
    }

    @Test
    void a_port_in_use_is_refused_with_the_key_that_names_it() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            int port = taken.getLocalPort();

            assertRefused(COULD_NOT, "127.0.0.1:" + port, "(listeners)", "in use", "--set listeners=")
                    .run("run", "--data", data(), "--set", "listeners=PLAINTEXT://127.0.0.1:" + port);
            assertRefused(COULD_NOT, "127.0.0.1:" + port, "(barnabas.http.port)", "in use", "--http-port")
                    .run("run", "--data", data(), "--set", "listeners=A://127.0.0.1:0", "--http-port", "" + port);
        }
    }

    @Test
    void one_port_for_two_purposes_is_refused() {
        assertRefused(COULD_NOT, "127.0.0.1:7777", "listeners", "barnabas.http.port")
                .run("run", "--data", data(), "--set", "listeners=A://127.0.0.1:7777", "--http-port", "7777");
        assertRefused(COULD_NOT, "7777", "listeners", "barnabas.http.port")
                .run("run", "--data", data(), "--set", "listeners=A://:7777", "--http-port", "7777");
    }

    @Test
    void a_configuration_file_that_is_missing_is_refused() {
        assertRefused(COULD_NOT, "no configuration file", dir.resolve("nix").toString())
                .run("run", "--config", dir.resolve("nix").toString());
    }

    @Test
    void where_nobody_runs_status_and_stop_say_so() {
        assertThat(Barnabas.execute("status", "--data", data())).isEqualTo(NOT_RUNNING);
        assertThat(told.toString(StandardCharsets.UTF_8)).contains("not running", data());
        assertRefused(COULD_NOT, "no broker runs on " + data(), "--data").run("stop", "--data", data());
    }

    @Test
    void a_second_data_directory_may_be_broken_with_a_word_but_not_the_first() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        StartOptions options = new StartOptions();
        options.set.put("log.dirs", data() + "," + file);
        options.set.put("listeners", "A://127.0.0.1:0");
        options.httpPort = freePort();

        List<String> warnings = Preflight.check(options.settings());

        assertThat(warnings).singleElement().asString().contains(file.toString(), "goes on without it");
        assertRefused(COULD_NOT, file.toString()).run("run", "--set", "log.dirs=" + file + "," + data());
    }

    @Test
    void the_port_of_another_voter_may_be_taken_but_not_the_own() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String voters =
                    "controller.quorum.voters=1@127.0.0.1:" + taken.getLocalPort() + ",2@127.0.0.1:2,3@127.0.0.1:3";

            assertRefused(COULD_NOT, "127.0.0.1:" + taken.getLocalPort(), "controller.quorum.voters", "in use")
                    .run("run", "--data", data(), "--set", "listeners=A://127.0.0.1:0", "--set", voters);
            StartOptions options = new StartOptions();
            options.set.putAll(Map.of("log.dirs", data(), "listeners", "A://127.0.0.1:0", "node.id", "4"));
            options.set.put("controller.quorum.voters", voters.substring(voters.indexOf('=') + 1));
            options.httpPort = freePort();
            assertThat(Preflight.check(options.settings())).isEmpty();
        }
    }

    @Test
    void a_cluster_that_cannot_be_is_refused_before_anything_starts() throws Exception {
        assertRefused(COULD_NOT, "1 to 9 nodes, not 10").run("cluster", "--nodes", "10", "--data", data());
        assertRefused(COULD_NOT, "port 65536", "--port").run("cluster", "--port", "65536", "--data", data());
        assertRefused(COULD_NOT, "port 9102", "twice").run("cluster", "--http-port", "9102", "--data", data());
        assertRefused(COULD_NOT, "node.id", "barnabas cluster sets it")
                .run("cluster", "--set", "node.id=4", "--data", data());
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = Integer.toString(taken.getLocalPort());
            assertRefused(COULD_NOT, "127.0.0.1:" + port, "(listeners)", "in use")
                    .run("cluster", "--nodes", "1", "--port", port, "--data", data());
        }
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    private String data() {
        return dir.resolve("data").toString();
    }

    private interface CommandLine {
        void run(String... arguments);
    }

    private CommandLine assertRefused(int code, String... words) {
        return arguments -> {
            refused.reset();
            assertThat(Barnabas.execute(arguments)).isEqualTo(code);
            assertThat(refused.toString(StandardCharsets.UTF_8).lines())
                    .singleElement()
                    .asString()
                    .startsWith("barnabas: ")
                    .contains(words);
        };
    }
}
