package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.metadata.Controller.Decision;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a process that commits, and looks for what it had acknowledged. */
@NullUnmarked
class KillTest {
    private static final int KILLS = 4;

    @TempDir
    Path directory;

    /** The process that is killed: makes topics for ever, and says the name of each that was acknowledged. */
    public static void main(String[] arguments) throws Exception {
        ExecutorService executor = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        MetadataNode node = MetadataNode.open(
                MetadataNodeSettings.oneNode(Path.of(arguments[0]), 1, null),
                Uuid::randomUuid,
                executor,
                e -> Runtime.getRuntime().halt(3));
        node.ready().get();
        for (int i = 0; ; i++) {
            String name = arguments[1] + "-" + i;
            node.controller()
                    .submit("CreateTopics", image -> Decision.of(TestRecords.topic(name, 1 + name.length() % 5), name))
                    .join();
            System.out.println("made " + name);
            System.out.flush();
        }
    }

    @Test
    void keepsEveryAcknowledgedCommandWhenTheProcessIsKilledAtRandomMoments() throws Exception {
        Random random = new Random(42);
        List<String> acknowledged = new ArrayList<>();
        for (int kill = 0; kill < KILLS; kill++) {
            // When
            int before = acknowledged.size();
            commitUntilKilled("run" + kill, 1 + random.nextInt(80), acknowledged);
            assertThat(acknowledged).hasSizeGreaterThan(before);
            // Then
            assertAllThere(acknowledged);
        }
    }

    private void commitUntilKilled(String run, int lines, List<String> acknowledged) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        KillTest.class.getName(),
                        directory.toString(),
                        run)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            int read = 0;
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.startsWith("made ")) {
                    acknowledged.add(line.substring("made ".length()));
                    if (++read == lines) {
                        process.toHandle().destroyForcibly();
                    }
                }
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private void assertAllThere(List<String> acknowledged) throws Exception {
        ExecutorService executor = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
        try (MetadataNode node = MetadataNode.open(
                MetadataNodeSettings.oneNode(directory, 1, null),
                Uuid::randomUuid,
                executor,
                Throwable::printStackTrace)) {
            MetadataImage image = node.ready().get(60, TimeUnit.SECONDS);
            for (String name : acknowledged) {
                TopicImage topic = image.topic(name);
                assertThat(topic).as(name).isNotNull();
                assertThat(topic.partitions()).as(name).hasSize(1 + name.length() % 5);
            }
        } finally {
            executor.shutdown();
        }
    }
}
