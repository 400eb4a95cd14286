package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.BarnabasProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three voters and a broker that is told nobody's address but theirs in the data grid. */
class DataGridTest {
    private static final int VOTERS = 3;
    private static final int OBSERVER = 4;
    private static final Duration CALM = Duration.ofSeconds(180);
    private static final Duration HINT = Duration.ofSeconds(30);
    /** A handed-over lead costs a fraction of a second, one that is lost more than this; the machine has two cores for four nodes. */
    private static final Duration GAP_MAX = Duration.ofSeconds(10);

    private static final Pattern OLDEST_FIRST = Pattern.compile("the oldest member first: \\[([\\d, ]+)]");

    @TempDir
    Path dir;

    @Test
    void a_broker_finds_the_voters_in_the_grid_the_oldest_voter_leads_and_who_leaves_is_looked_for() throws Exception {
        // Given three voters, and a broker that no list of voters is given to
        try (Cluster cluster = Cluster.start(new InDataGrid(), Network.loopback(), Set.of(), dir, VOTERS + 1)) {
            assertThat(cluster.node(OBSERVER).outputOfThisStart())
                    .contains("The data grid tells who votes on metadata");
            cluster.createTopic("grid", List.of(List.of(1, 2, 3)), Map.of());
            try (Load load = new Load(cluster.bootstrap(), "grid", 50)) {
                load.awaitFlow(Duration.ofMillis(200));
                int flowing = load.times().count();
                // Then the voter that has been in the grid for longest becomes the controller, and no producer notices
                cluster.await("the oldest voter leads", CALM, () -> oldestVoterLeads(cluster));
                assertThat(load.times().longestGapSince(flowing)).isLessThan(GAP_MAX);
                assertThat(cluster.nodes())
                        .allSatisfy(node -> assertThat(node.outputOfThisStart()).doesNotContain("com.hazelcast"));
                // When a member is killed
                cluster.node(OBSERVER).kill();
                // Then the controller hears of it by the grid, too, and has it out of service
                Node controller = cluster.controller();
                cluster.await("the hint", HINT, () -> controller
                        .outputOfThisStart()
                        .contains("a member has left the data grid, its broker is looked for; broker=" + OBSERVER));
                cluster.await(
                        "the broker is fenced",
                        HINT,
                        () -> cluster.admin().describeCluster().nodes().get().size() == VOTERS);
                Verdict verdict = load.stop();
                assertThat(verdict.flawless()).as(verdict.toString()).isTrue();
            }
        }
    }

    private static boolean oldestVoterLeads(Cluster cluster) {
        List<Integer> members = membersSeenBy(cluster.node(1));
        int controller = cluster.controller().id();
        return members.size() == VOTERS + 1
                && members.stream().filter(id -> id <= VOTERS).findFirst().orElseThrow() == controller;
    }

    private static List<Integer> membersSeenBy(Node node) {
        Matcher lines = OLDEST_FIRST.matcher(node.outputOfThisStart());
        String last = "";
        while (lines.find()) {
            last = lines.group(1);
        }
        return Stream.of(last.split(", "))
                .filter(id -> !id.isEmpty())
                .map(Integer::valueOf)
                .toList();
    }

    /** Nodes that find each other in the data grid; all above the third have no vote and are not told who has. */
    private static final class InDataGrid implements Product {
        private final BarnabasProduct each = new BarnabasProduct(Map.of());
        private final Map<Integer, Integer> ports = new HashMap<>();

        @Override
        public List<String> command(Place node, List<Place> all) {
            List<Place> voters = all.subList(0, VOTERS);
            List<String> command = new ArrayList<>(each.command(node, voters));
            if (node.id() > VOTERS) {
                int list = command.indexOf("controller.quorum.voters=" + Product.voters(voters));
                command.remove(list);
                command.remove(list - 1);
            }
            String members = String.join(
                    ",",
                    voters.stream().map(place -> "127.0.0.1:" + port(place)).toList());
            command.addAll(List.of(
                    "--set",
                    "barnabas.cluster.discovery=tcpip:" + members,
                    "--set",
                    "barnabas.cluster.address=127.0.0.1:" + port(node)));
            return command;
        }

        private int port(Place place) {
            return ports.computeIfAbsent(place.id(), id -> BarnabasProcess.freePort());
        }

        @Override
        public String name() {
            return each.name();
        }

        @Override
        public void format(List<Place> places) {
            each.format(places);
        }

        @Override
        public void formatAgain(Place node) {
            each.formatAgain(node);
        }

        @Override
        public Map<String, String> forced() {
            return each.forced();
        }

        @Override
        public Map<String, String> forcedEverywhere() {
            return each.forcedEverywhere();
        }

        @Override
        public boolean votes(Cluster cluster, Node node) throws ExecutionException, InterruptedException {
            return each.votes(cluster, node);
        }
    }
}
