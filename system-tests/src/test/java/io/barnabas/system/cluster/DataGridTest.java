package io.barnabas.system.cluster;

import static io.barnabas.system.cluster.InDataGrid.OBSERVER;
import static io.barnabas.system.cluster.InDataGrid.REFUSED;
import static io.barnabas.system.cluster.InDataGrid.VOTERS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.barnabas.system.BarnabasProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three voters, and a broker that is told nothing of them but how to find them in the data grid: by a list, a
 * name, or calling; by the first and the last with the cluster's key.
 */
class DataGridTest {
    private static final Duration CALM = Duration.ofSeconds(180);
    private static final Duration HINT = Duration.ofSeconds(30);
    /** A handed-over lead costs a fraction of a second, one that is lost more than this; the machine has two cores for four nodes. */
    private static final Duration GAP_MAX = Duration.ofSeconds(10);

    @TempDir
    Path dir;

    @Test
    void a_broker_finds_the_voters_in_the_grid_the_oldest_voter_leads_and_who_leaves_is_looked_for() throws Exception {
        // Given three voters, and a broker that no list of voters is given to
        Path key = InnerPort.makeKey(dir.resolve("cluster.pem"));
        InDataGrid product = InDataGrid.byList(key);
        try (Cluster cluster = Cluster.start(product, Network.loopback(), Set.of(), dir, VOTERS + 1)) {
            assertThat(cluster.node(OBSERVER)).matches(InDataGrid::foundVoters);
            cluster.createTopic("grid", List.of(List.of(1, 2, 3)), Map.of());
            try (Load load = new Load(cluster.bootstrap(), "grid", 50)) {
                load.awaitFlow(Duration.ofMillis(200));
                int flowing = load.times().count();
                // Then the voter that has been in the grid for longest becomes the controller, and no producer notices
                cluster.await("the oldest voter leads", CALM, () -> oldestVoterLeads(cluster));
                assertThat(load.times().longestGapSince(flowing)).isLessThan(GAP_MAX);
                assertThat(cluster.nodes()).allSatisfy(node -> assertThat(node.outputOfThisStart())
                        .doesNotContain("com.hazelcast", REFUSED));
                // And who has not the cluster's key learns nothing there
                assertAnswersOnly(key, product, cluster.node(1));
                assertAnswersOnly(key, product, cluster.node(OBSERVER));
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

    private void assertAnswersOnly(Path key, InDataGrid product, Node node) throws Exception {
        InnerPort port = InnerPort.grid(product.address(node.place()));
        assertThat(port.answersTo(key)).as("the key at " + port).isTrue();
        Path other = dir.resolve("other.pem");
        assertThat(port.answersTo(Files.exists(other) ? other : InnerPort.makeKey(other)))
                .as("another key at " + port)
                .isFalse();
        assertThat(port.answersWithoutKey()).as("no key at " + port).isFalse();
        assertThat(port.answersInTheClear()).as("no TLS at " + port).isFalse();
        assertThat(node.outputOfThisStart()).contains(REFUSED);
    }

    private static boolean oldestVoterLeads(Cluster cluster) {
        List<Integer> members = InDataGrid.membersSeenBy(cluster.node(1));
        int controller = cluster.controller().id();
        return members.size() == VOTERS + 1
                && members.stream().filter(id -> id <= VOTERS).findFirst().orElseThrow() == controller;
    }

    @Test
    void members_look_at_all_addresses_of_a_name_and_at_those_that_it_gets_later() throws Exception {
        playOnAWire(NodesOnAWire.NAME);
    }

    @Test
    void members_that_call_each_other_are_one_grid() throws Exception {
        playOnAWire(NodesOnAWire.CALLING);
    }

    private void playOnAWire(String way) throws Exception {
        List<String> command = CutNetwork.enter(List.of(
                Product.java(),
                "-Xmx300m",
                "-Dbarnabas.jar=" + BarnabasProcess.jar().toAbsolutePath(),
                "-Djava.util.logging.config.file=" + System.getProperty("java.util.logging.config.file"),
                "-cp",
                System.getProperty("java.class.path"),
                NodesOnAWire.class.getName(),
                way,
                dir.resolve(way).toString()));
        assumeTrue(!command.isEmpty(), "skipped: a network of one's own (unshare, ip, veth) is not allowed here");
        Path output = dir.resolve(way + ".out");
        Process program = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(program.waitFor(10, TimeUnit.MINUTES))
                    .as("ended; see %s", output)
                    .isTrue();
            String told = Files.readString(output);
            assumeTrue(program.exitValue() != FaultTable.NO_NETWORK, "skipped: " + told);
            assertThat(program.exitValue()).as(told).isZero();
        } finally {
            program.descendants().forEach(ProcessHandle::destroyForcibly);
            program.destroyForcibly();
        }
    }
}
