package io.barnabas.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.start.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterLayoutTest {
    @TempDir
    Path dir;

    @Test
    void each_node_has_its_directory_and_its_ports_ten_further_than_the_one_before() {
        ClusterLayout layout = layout(3, Map.of());

        assertThat(layout.settings(1))
                .containsEntry("node.id", "1")
                .containsEntry("log.dirs", dir.resolve("1").toString())
                .containsEntry("listeners", "PLAINTEXT://127.0.0.1:9092,INTERNAL://127.0.0.1:9093")
                .containsEntry("barnabas.http.port", "8080");
        assertThat(layout.settings(3))
                .containsEntry("node.id", "3")
                .containsEntry("log.dirs", dir.resolve("3").toString())
                .containsEntry("listeners", "PLAINTEXT://127.0.0.1:9112,INTERNAL://127.0.0.1:9113")
                .containsEntry("barnabas.http.port", "8100");
        assertThat(layout.bootstrap()).isEqualTo("127.0.0.1:9092,127.0.0.1:9102,127.0.0.1:9112");
        assertThat(layout.consoles()).isEqualTo("http://127.0.0.1:8080/ http://127.0.0.1:8090/ http://127.0.0.1:8100/");
    }

    @Test
    void all_nodes_have_the_same_quorum_and_topics_that_bear_the_loss_of_one() {
        ClusterLayout layout = layout(3, Map.of());

        for (int node = 1; node <= 3; node++) {
            assertThat(layout.settings(node))
                    .containsEntry("controller.quorum.voters", "1@127.0.0.1:9094,2@127.0.0.1:9104,3@127.0.0.1:9114")
                    .containsEntry("inter.broker.listener.name", "INTERNAL")
                    .containsEntry("default.replication.factor", "3")
                    .containsEntry("min.insync.replicas", "2");
        }
    }

    @Test
    void of_two_nodes_one_votes_and_of_four_three() {
        assertThat(layout(2, Map.of()).settings(2)).containsEntry("controller.quorum.voters", "1@127.0.0.1:9094");
        assertThat(layout(4, Map.of()).settings(4))
                .containsEntry("controller.quorum.voters", "1@127.0.0.1:9094,2@127.0.0.1:9104,3@127.0.0.1:9114");
    }

    @Test
    void one_node_is_what_run_would_start() {
        assertThat(layout(1, Map.of()).settings(1))
                .containsOnlyKeys("node.id", "log.dirs", "listeners", "barnabas.http.port")
                .containsEntry("listeners", "PLAINTEXT://127.0.0.1:9092");
    }

    @Test
    void what_is_set_for_all_wins_over_what_a_cluster_would_choose() {
        assertThat(layout(3, Map.of("min.insync.replicas", "1")).settings(2)).containsEntry("min.insync.replicas", "1");
    }

    @Test
    void a_node_reads_from_its_file_what_it_was_given() throws Exception {
        ClusterLayout layout = layout(3, Map.of("odd", "back\\slash=and:more #!"));
        Path file = Files.writeString(layout.file(2), layout.fileContent(2));

        Settings settings = Settings.read(file, Map.of());

        layout.settings(2).forEach((key, value) -> assertThat(settings.get(key)).isEqualTo(value));
        assertThat(settings.whereSet("odd")).isEqualTo(Optional.of(file.toString()));
        assertThat(settings.sockets())
                .extracting(Object::toString)
                .containsExactly("127.0.0.1:9102", "127.0.0.1:9103", "127.0.0.1:8090", "127.0.0.1:9104");
    }

    private ClusterLayout layout(int nodes, Map<String, String> set) {
        return new ClusterLayout(nodes, dir, 9092, 8080, set);
    }
}
