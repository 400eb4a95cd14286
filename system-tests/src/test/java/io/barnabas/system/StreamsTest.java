package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kafka Streams' word count under {@code exactly_once_v2}, in a process of its own, while that is killed and the broker is too. */
class StreamsTest {
    @TempDir
    Path dir;

    @Test
    void killed_with_its_broker_and_started_again_the_word_count_counts_each_word_once() throws Exception {
        // Given a word count at work
        try (BarnabasProcess broker = BarnabasProcess.start(dir.resolve("data"));
                CountedWords words = new CountedWords(dir, broker.bootstrap(), 1)) {
            words.awaitMore(300);
            // When it is killed alone, and then together with the broker
            words.kill();
            words.start();
            words.awaitMore(300);
            broker.kill();
            words.kill();
            words.start();
            broker.start();
            words.awaitMore(300);
            // Then every word has been counted once, one after the other
            words.hasCountedEachWordOnce();
        }
    }

    @Test
    void on_three_nodes_of_one_command_each_word_is_counted_once_though_one_of_them_dies() throws Exception {
        // Given three processes, started by one command, and a word count on them
        Path output = dir.resolve("cluster.out");
        int port = BarnabasProcess.freePort();
        Process cluster = BarnabasProcess.launch(
                output,
                List.of(
                        "cluster",
                        "--nodes",
                        "3",
                        "--port",
                        Integer.toString(port),
                        "--data",
                        dir.resolve("cluster").toString(),
                        "--http-port",
                        Integer.toString(BarnabasProcess.freePort())));
        try {
            Matcher serves = await(cluster, output, "The cluster serves. bootstrap.servers=(\\S+)");
            assertThat(serves.group(1).split(",")).hasSize(3).contains("127.0.0.1:" + port);
            List<ProcessHandle> nodes = cluster.children().toList();
            assertThat(nodes).hasSize(3);
            try (CountedWords words = new CountedWords(dir, serves.group(1), 3)) {
                words.awaitMore(300);
                // When one dies
                nodes.get(0).destroyForcibly();
                // Then the command says how it comes back, and every word has been counted once
                await(cluster, output, "has ended .*; start it again with: ");
                words.awaitMore(300);
                words.hasCountedEachWordOnce();
            }
        } finally {
            cluster.destroy();
            assertThat(cluster.waitFor(90, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static Matcher await(Process cluster, Path output, String pattern) {
        Pattern wanted = Pattern.compile(pattern);
        return Awaitility.await(pattern)
                .atMost(Duration.ofSeconds(180))
                .until(
                        () -> {
                            assertThat(cluster.isAlive()).isTrue();
                            return wanted.matcher(Files.readString(output));
                        },
                        Matcher::find);
    }
}
