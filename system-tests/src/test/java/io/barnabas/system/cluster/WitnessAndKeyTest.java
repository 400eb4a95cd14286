package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two brokers and a witness, each a process of its own, that know each other by the cluster's key, as docs/cluster.md tells. */
class WitnessAndKeyTest {
    private static final int WITNESS = 3;
    private static final int BROKERS = 2;
    private static final int STRANGER = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String AT_QUORUM =
            "A node is refused at the port of the metadata, do all have the same barnabas.cluster.key?";
    private static final String AT_BROKERS = "TLS between nodes failed";
    private static final String NO_TLS = "It does not speak TLS";

    @TempDir
    static Path dir;

    private static Path key;
    private static Cluster cluster;

    @BeforeAll
    static void start() throws Exception {
        key = key("cluster.pem");
        cluster = Cluster.start(new WithWitness(Optional.of(key)), Network.loopback(), Set.of(), dir, WITNESS);
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void one_broker_goes_on_with_the_witness_when_the_other_is_killed_whichever_it_is() throws Exception {
        for (int turn = 1; turn <= BROKERS; turn++) {
            // Given two brokers, each of which has all records; the one that is killed leads them, and the metadata
            cluster.await(
                    "a broker is the controller",
                    PATIENCE,
                    () -> cluster.controller().id() != WITNESS);
            Node killed = cluster.controller();
            Node left = cluster.node(WITNESS - killed.id());
            String topic = "kept-" + turn;
            create(topic, List.of(killed.id(), left.id()));
            try (Load load = new Load(cluster.bootstrap(), topic, 50)) {
                load.awaitFlow(Duration.ofMillis(500));
                int before = load.times().count();
                // When it dies
                killed.kill();
                // Then the other does both, with all that was acknowledged
                cluster.awaitLeader(topic, left::equals);
                load.awaitFlow(Duration.ofMillis(500));
                Duration gap = load.times().longestGapSince(before);
                Verdict verdict = load.stop();
                assertThat(verdict.flawless()).as(verdict.toString()).isTrue();
                System.out.println(killed + " killed: " + verdict + ", longest gap " + gap);
                if (Boolean.getBoolean("cluster.tests")) {
                    assertThat(gap)
                            .isLessThanOrEqualTo(
                                    Fault.KILL_CONTROLLER_AND_LEADER.bound().orElseThrow());
                }
            }
            cluster.await("the other is the controller", PATIENCE, () -> cluster.controller() == left);
            create("alone-" + turn, List.of(left.id()));
            // And it comes back
            killed.launch();
            cluster.awaitMembers(BROKERS, PATIENCE);
            cluster.awaitInSync(topic);
        }
    }

    @Test
    void who_has_another_key_is_refused_and_both_sides_say_why() throws Exception {
        // Given a node that would join with a key of its own
        Node stranger = stranger(Optional.of(key("other.pem")));
        Predicate<String> refusal = line -> line.contains(AT_QUORUM) && !line.contains(NO_TLS);
        long before = said(refusal);
        try {
            // When it asks the others
            stranger.launch();
            // Then they refuse it, it waits, and who operates either finds the reason
            cluster.await("the stranger is refused", PATIENCE, () -> said(refusal) > before);
            cluster.await("the stranger knows why", PATIENCE, () -> stranger.outputOfThisStart()
                    .contains("has another barnabas.cluster.key"));
            assertKeptOut(stranger);
        } finally {
            stranger.kill();
        }
    }

    @Test
    void who_has_no_key_is_refused() throws Exception {
        // Given a node that would join as if there was none
        Node stranger = stranger(Optional.empty());
        Predicate<String> refusal = line -> line.contains(AT_QUORUM) && line.contains(NO_TLS);
        long before = said(refusal);
        try {
            // When it asks the others
            stranger.launch();
            // Then they refuse it, and say so
            cluster.await("the stranger is refused", PATIENCE, () -> said(refusal) > before);
            assertKeptOut(stranger);
        } finally {
            stranger.kill();
        }
    }

    @Test
    void the_inner_ports_answer_nobody_who_has_not_the_key() throws Exception {
        Path other = key("stranger.pem");
        for (Node node : cluster.nodes()) {
            InnerPort quorum = InnerPort.quorum(node.place());
            assertThat(quorum.answersTo(key)).as("the key at " + quorum).isTrue();
            assertThat(quorum.answersTo(other)).as("another key at " + quorum).isFalse();
            assertThat(quorum.answersWithoutKey()).as("no key at " + quorum).isFalse();
            assertThat(quorum.answersInTheClear()).as("no TLS at " + quorum).isFalse();
        }
        for (Node node : cluster.nodes().subList(0, BROKERS)) {
            InnerPort brokers = InnerPort.brokers(node.place());
            assertThat(brokers.answersTo(key)).as("the key at " + brokers).isTrue();
            assertThat(brokers.answersTo(other)).as("another key at " + brokers).isFalse();
            assertThat(brokers.answersWithoutKey()).as("no key at " + brokers).isFalse();
            assertThat(brokers.answersInTheClear()).as("no TLS at " + brokers).isFalse();
            cluster.await("it is told", PATIENCE, () -> node.outputOfThisStart().contains(AT_BROKERS));
        }
    }

    private static void create(String topic, List<Integer> replicas) throws Exception {
        cluster.admin()
                .createTopics(List.of(new NewTopic(topic, Map.of(0, replicas))))
                .all()
                .get(30, TimeUnit.SECONDS);
        cluster.awaitInSync(topic);
    }

    private static long said(Predicate<String> line) {
        return cluster.nodes().stream()
                .flatMap(node -> node.outputOfThisStart().lines())
                .filter(line)
                .count();
    }

    private static void assertKeptOut(Node stranger) throws Exception {
        assertThat(stranger.alive()).as(stranger.outputOfThisStart()).isTrue();
        assertThat(stranger.outputOfThisStart())
                .doesNotContain("Barnabas serves.", "The voters of the metadata are known");
        assertThat(cluster.admin().describeCluster().nodes().get())
                .extracting(org.apache.kafka.common.Node::id)
                .doesNotContain(STRANGER);
        QuorumInfo quorum =
                cluster.admin().describeMetadataQuorum().quorumInfo().get();
        assertThat(quorum.voters())
                .extracting(QuorumInfo.ReplicaState::replicaId)
                .containsExactlyInAnyOrder(1, 2, 3);
        assertThat(quorum.observers()).isEmpty();
    }

    private static Path key(String name) {
        return InnerPort.makeKey(dir.resolve(name));
    }

    private static Node stranger(Optional<Path> key) throws Exception {
        Place place = new Place(
                STRANGER,
                cluster.network().host(STRANGER),
                Cluster.ports(),
                dir.resolve(key.isPresent() ? "other" : "none"),
                cluster.network().entrance(STRANGER));
        List<Place> voters = cluster.nodes().stream().map(Node::place).toList();
        return new Node(place, new WithWitness(key).command(place, voters), Set.of());
    }

    /** Nodes of which one only votes. */
    private static final class WithWitness extends Variant {
        /** @param key all that they are told of it */
        WithWitness(Optional<Path> key) {
            super(key.map(file -> Map.of("barnabas.cluster.key", file.toString()))
                    .orElse(Map.of()));
        }

        @Override
        public int brokers(int nodes) {
            return BROKERS;
        }

        @Override
        public List<String> command(Place node, List<Place> all) {
            List<String> command = new ArrayList<>(usual(node, all));
            if (node.id() == WITNESS) {
                command.addAll(List.of("--set", "process.roles=controller"));
            }
            return command;
        }
    }
}
