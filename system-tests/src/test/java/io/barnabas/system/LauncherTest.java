package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of the real jar: a broker's day in the background, two starts at once, a stop in the middle of a start. */
class LauncherTest {
    private static final Duration PATIENCE = Duration.ofSeconds(180);
    private static final int NOT_RUNNING = 3;

    /** What a server.properties of Kafka 4.4 says of its own quorum. */
    private static final String KRAFT = """
            process.roles=broker,controller
            node.id=1
            controller.quorum.bootstrap.servers=localhost:9093
            listeners=PLAINTEXT://127.0.0.1:KAFKA,CONTROLLER://:9093
            inter.broker.listener.name=PLAINTEXT
            advertised.listeners=PLAINTEXT://localhost:KAFKA,CONTROLLER://localhost:9093
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
            num.partitions=1
            offsets.topic.replication.factor=1
            """;

    @TempDir
    Path dir;

    @Test
    void a_day_of_a_broker_in_the_background_with_kafkas_own_file() throws Exception {
        int kafka = BarnabasProcess.freePort();
        String data = dir.resolve("data").toString();
        String bootstrap = "127.0.0.1:" + kafka;
        Path file =
                Files.writeString(dir.resolve("server.properties"), KRAFT.replace("KAFKA", Integer.toString(kafka)));
        String http = Integer.toString(BarnabasProcess.freePort());
        String[] start = {"start", "--config", file.toString(), "--data", data, "--http-port", http};
        try {
            // When it starts, it says where it serves, and that its quorum's keys have no effect
            Told started = barnabas(start);
            assertThat(started.code()).as(started.output()).isZero();
            assertThat(started.output())
                    .contains("Clients: " + bootstrap, "Console: http://127.0.0.1:" + http + "/", "barnabas stop");
            assertThat(Files.readString(Path.of(data, "barnabas.log")))
                    .contains("process.roles", "controller.quorum.bootstrap.servers", "no effect")
                    .doesNotContain("Unknown", "\tat ", " ERROR ");
            // Then it is found running, and not started again
            Told status = barnabas("status", "--data", data);
            assertThat(status.code()).isZero();
            assertThat(status.output()).contains("running, pid ");
            Told again = barnabas(start);
            assertThat(again.code()).isEqualTo(1);
            assertThat(again.output()).contains(data, "in use", "pid ");
            // And the daily look shows topics and groups
            fill(bootstrap);
            assertThat(barnabas("topics", "-b", bootstrap).output()).contains("orders", "2 partitions");
            assertThat(barnabas("topics", "-b", bootstrap, "orders").output()).contains("leader 1", "in sync 1");
            assertThat(barnabas("groups", "-b", bootstrap).output()).contains("billing");
            assertThat(barnabas("groups", "-b", bootstrap, "billing").output()).contains("orders", "lag 0");
        } finally {
            Told stopped = barnabas("stop", "--data", data);
            assertThat(stopped.code()).as(stopped.output()).isZero();
        }
        // And once stopped it is gone without a trace
        assertThat(barnabas("status", "--data", data).code()).isEqualTo(NOT_RUNNING);
        assertThat(Path.of(data, "barnabas.pid")).doesNotExist();
        Told nobody = barnabas("topics", "-b", bootstrap);
        assertThat(nobody.code()).isEqualTo(1);
        assertThat(nobody.output().lines()).singleElement().asString().contains("no broker answers", bootstrap);
    }

    private static void fill(String bootstrap) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic("orders", 2, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            admin.alterConsumerGroupOffsets(
                            "billing", Map.of(new TopicPartition("orders", 0), new OffsetAndMetadata(0)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void of_two_starts_at_once_on_one_directory_one_serves_and_the_other_is_refused() throws Exception {
        Path data = dir.resolve("data");
        try (BarnabasProcess one = BarnabasProcess.launched(data, "one", Map.of());
                BarnabasProcess other = BarnabasProcess.launched(data, "other", Map.of())) {
            Awaitility.await("one of them is refused").atMost(PATIENCE).until(() -> !one.alive() || !other.alive());
            BarnabasProcess refused = one.alive() ? other : one;
            BarnabasProcess first = one.alive() ? one : other;
            assertThat(refused.output()).contains("in use");
            Awaitility.await("the other serves")
                    .atMost(PATIENCE)
                    .until(() -> !first.alive() || first.output().contains("Barnabas serves."));
            assertThat(first.alive()).as(first.output()).isTrue();
        }
    }

    @Test
    void a_stop_in_the_middle_of_a_start_is_clean() throws Exception {
        Path data = dir.resolve("data");
        for (Moment moment : moments(data)) {
            try (BarnabasProcess broker = BarnabasProcess.launched(data, "stopped", Map.of())) {
                Awaitility.await(moment.name())
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(5))
                        .until(() -> !broker.alive() || moment.reached(broker));
                assertThat(broker.alive())
                        .as("%s:\n%s", moment.name(), broker.output())
                        .isTrue();

                broker.stop();

                assertThat(broker.output())
                        .as("stopped when %s", moment.name())
                        .doesNotContain("\tat ", " ERROR ", "Exception", "cannot start");
            }
        }
        // And the directory is as good as before
        try (BarnabasProcess broker = BarnabasProcess.start(data)) {
            assertThat(broker.alive()).isTrue();
        }
    }

    private static List<Moment> moments(Path data) {
        return List.of(
                new Moment("the launcher has checked", null, "starts."),
                new Moment("the server has the directory", data.resolve("barnabas.pid"), ""),
                new Moment("the container boots", data.resolve("server/config"), ""),
                new Moment("the metadata open", data.resolve("metadata"), ""),
                new Moment("the sockets open", null, "listening;"));
    }

    @Test
    void a_cluster_of_one_says_where_it_serves_behind_the_nodes_number_and_ends_in_order() throws Exception {
        String port = Integer.toString(BarnabasProcess.freePort());
        Path data = dir.resolve("cluster");
        Path output = dir.resolve("cluster.out");
        List<String> command = List.of(
                "cluster", "--nodes", "1", "--port", port, "--data", data.toString(), "--http-port", freeHttpPort());
        Process cluster = BarnabasProcess.launch(output, command);
        try {
            Awaitility.await("the cluster serves")
                    .atMost(PATIENCE)
                    .until(() -> !cluster.isAlive()
                            || Files.readString(output)
                                    .contains("The cluster serves. bootstrap.servers=127.0.0.1:" + port));
            assertThat(Files.readString(output)).contains("\n1 | Barnabas serves.");
            assertThat(barnabas("status", "--data", data.resolve("1").toString())
                            .output())
                    .contains("running, pid ");
        } finally {
            cluster.destroy();
            assertThat(cluster.waitFor(90, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(Files.readString(output)).contains("Stopping node 1").doesNotContain("has ended", " ERROR ");
        assertThat(data.resolve("1/.kafka_cleanshutdown")).exists();
        assertThat(Files.readString(data.resolve("node-1.properties"))).contains("node.id=1\n");
    }

    private static String freeHttpPort() {
        return Integer.toString(BarnabasProcess.freePort());
    }

    /** A moment of a start, known by a file or a word of the output. */
    private record Moment(String name, Path file, String word) {
        boolean reached(BarnabasProcess broker) {
            return (file == null || Files.exists(file)) && broker.output().contains(word);
        }
    }

    /** What a command came to. */
    private record Told(int code, String output) {}

    private Told barnabas(String... arguments) throws Exception {
        Path output = Files.createTempFile(dir, "command", ".out");
        Process process = BarnabasProcess.launch(output, List.of(arguments));
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        return new Told(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
    }
}
