package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM under load: the process ends in order, and the next start has nothing to recover. */
class CleanStopTest {
    private static final String TOPIC = "stopped";
    private static final int PARTITIONS = 6;

    /** What the JVM ends with when SIGTERM ended it, its shutdown hooks done: 128 and the signal's number. */
    private static final int TERMINATED = 128 + 15;

    @Test
    void a_terminated_broker_marks_its_directories_and_the_next_start_recovers_nothing(@TempDir Path dir)
            throws Exception {
        List<Path> directories = List.of(dir.resolve("one"), dir.resolve("two"));
        Map<String, String> settings = Map.of("log.dirs", directories.get(0) + "," + directories.get(1));
        try (BarnabasProcess broker = BarnabasProcess.start(dir.resolve("data"), settings)) {
            // Given a broker of two data directories under load
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
                admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
            }
            try (AcknowledgedLoad load = new AcknowledgedLoad(broker.bootstrap(), TOPIC, PARTITIONS)) {
                load.awaitMore(5_000);
                // When it is terminated
                int status = broker.stop();
                // Then it ends in order, without a word of anything wrong, and marks each directory
                assertThat(status).isEqualTo(TERMINATED);
                assertNothingWrong(broker);
                for (Path directory : directories) {
                    assertThat(directory.resolve(".kafka_cleanshutdown")).exists();
                }
                assertThat(directories.get(0).resolve("barnabas.pid")).doesNotExist();
                // And the next start takes the logs as they are
                broker.start();
                for (Path directory : directories) {
                    assertThat(broker.outputOfThisStart().lines())
                            .filteredOn(line -> line.contains("Loading logs: directory=" + directory + " "))
                            .singleElement()
                            .asString()
                            .contains("afterCleanShutdown=true");
                    assertThat(directory.resolve(".kafka_cleanshutdown"))
                            .as("the mark is taken, and set again at the next end")
                            .doesNotExist();
                }
                assertNothingWrong(broker);
                assertThat(broker.outputOfThisStart()).doesNotContain("ecovering", "rebuilding", "Cutting");
                // And the load goes on with nothing lost
                load.awaitMore(1_000);
                load.stop();
                load.assertReadBack();
            }
        }
    }

    /** Nothing but that the machine is slow. */
    private static void assertNothingWrong(BarnabasProcess broker) {
        assertThat(broker.outputOfThisStart()).doesNotContain("\tat ", " ERROR ", "Exception");
        assertThat(broker.outputOfThisStart().lines())
                .filteredOn(line -> line.contains(" WARN "))
                .allMatch(line -> line.contains("JvmPauseMonitor"));
    }
}
