package io.barnabas.ejb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Directories that take nothing new, so that a disk or a whole broker can be emptied (KIP-1066). */
@Timeout(120)
class CordonedDirectoriesTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    private static void cordon(Admin admin, int broker, String directories) throws Exception {
        ConfigEntry entry = new ConfigEntry("cordoned.log.dirs", directories);
        admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(broker)),
                        List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    private static Set<String> cordoned(Admin admin, int broker) throws Exception {
        return admin.describeLogDirs(List.of(broker)).allDescriptions().get().get(broker).entrySet().stream()
                .filter(each -> each.getValue().isCordoned())
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    private static void create(Admin admin, NewTopic topic) throws Exception {
        admin.createTopics(List.of(topic)).all().get();
    }

    @Test
    void a_broker_all_of_whose_directories_are_cordoned_is_given_no_new_replicas_until_they_are_free_again()
            throws Exception {
        try (EmbeddedCluster cluster = EmbeddedCluster.start(3, Map.of());
                Admin admin = Admin.create(
                        Map.of("bootstrap.servers", cluster.bootstraps().get(0)))) {
            // Given
            create(admin, new NewTopic("before", Map.of(0, List.of(3, 1))));
            AtomicInteger tries = new AtomicInteger();
            cordon(admin, 3, "*");
            await().atMost(SOON).untilAsserted(() -> assertThatThrownBy(() ->
                            create(admin, new NewTopic("by-hand-" + tries.incrementAndGet(), Map.of(0, List.of(3)))))
                    .hasCauseInstanceOf(InvalidReplicaAssignmentException.class)
                    .hasMessageContaining("all its log directories are cordoned"));
            // When
            create(admin, new NewTopic("after", 12, (short) 2));
            admin.createPartitions(Map.of("before", NewPartitions.increaseTo(4)))
                    .all()
                    .get();
            // Then
            assertThat(cordoned(admin, 3)).hasSize(1);
            assertThat(admin.describeTopics(List.of("after"))
                            .allTopicNames()
                            .get()
                            .get("after")
                            .partitions())
                    .allSatisfy(p -> assertThat(p.replicas()).noneMatch(node -> node.id() == 3));
            assertThat(admin.describeTopics(List.of("before"))
                            .allTopicNames()
                            .get()
                            .get("before")
                            .partitions())
                    .filteredOn(p -> p.replicas().stream().anyMatch(node -> node.id() == 3))
                    .hasSize(1);
            assertThatThrownBy(() -> create(admin, new NewTopic("too-many", 1, (short) 3)))
                    .hasCauseInstanceOf(InvalidReplicationFactorException.class);
            // And when
            cordon(admin, 3, "");
            // Then
            await().atMost(SOON)
                    .ignoreExceptionsInstanceOf(ExecutionException.class)
                    .untilAsserted(() -> create(admin, new NewTopic("again", 1, (short) 3)));
        }
    }

    @Test
    void a_broker_that_starts_cordoned_takes_nothing_from_the_first_moment() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(Map.of("cordoned.log.dirs", "*"));
                Admin admin = broker.admin()) {
            assertThatThrownBy(() -> create(admin, new NewTopic("t", 1, (short) 1)))
                    .hasCauseInstanceOf(InvalidReplicationFactorException.class)
                    .hasMessageContaining("cordoned");
        }
    }

    @Test
    void new_logs_and_moves_go_to_the_directories_that_are_not_cordoned() throws Exception {
        Path one = Files.createDirectories(directory.resolve("one"));
        Path two = Files.createDirectories(directory.resolve("two"));
        try (EmbeddedBroker broker =
                        EmbeddedBroker.start(Map.of("log.dirs", one + "," + two, "cordoned.log.dirs", two.toString()));
                Admin admin = broker.admin()) {
            // When
            create(admin, new NewTopic("t", 6, (short) 1));
            // Then
            assertThat(cordoned(admin, 1)).containsExactly(two.toString());
            var directories =
                    admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
            assertThat(directories.get(one.toString()).replicaInfos()).hasSize(6);
            assertThat(directories.get(two.toString()).replicaInfos()).isEmpty();
            assertThatThrownBy(() -> admin.alterReplicaLogDirs(
                                    Map.of(new TopicPartitionReplica("t", 0, 1), two.toString()))
                            .all()
                            .get())
                    .hasCauseInstanceOf(InvalidReplicaAssignmentException.class);
            assertThatThrownBy(() -> cordon(admin, 1, directory.resolve("three").toString()))
                    .hasCauseInstanceOf(InvalidRequestException.class);
        }
    }
}
