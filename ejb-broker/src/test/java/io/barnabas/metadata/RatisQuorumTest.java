package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotControllerException;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three real voters in one process. */
@NullUnmarked
class RatisQuorumTest {
    private static final int SNAPSHOT_ENTRIES = 50;

    @TempDir
    Path directory;

    private RatisQuorum quorum;

    private RatisQuorum three() throws Exception {
        quorum = new RatisQuorum(directory, 3, SNAPSHOT_ENTRIES).startAll();
        return quorum;
    }

    @AfterEach
    void stop() {
        quorum.close();
        assertThat(quorum.failures).isEmpty();
    }

    private void assertSameTopicsEverywhere(int topics) {
        quorum.awaitConverged();
        quorum.nodes().forEach(n -> assertThat(n.metadata.image().topics())
                .as("node " + n.id)
                .hasSize(topics));
        List<byte[]> snapshots =
                quorum.nodes().stream().map(RatisQuorumTest::snapshot).toList();
        assertThat(snapshots).allMatch(bytes -> java.util.Arrays.equals(bytes, snapshots.get(0)));
    }

    private static byte[] snapshot(RatisQuorum.Node node) {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        try {
            node.metadata.writeSnapshot(out);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    @Test
    void goesOnWithoutItsLeaderAndTakesItBackByTheLog() throws Exception {
        // Given
        three().create("a");
        int former = quorum.leader().id;
        // When
        quorum.stop(former);
        quorum.create("b");
        // Then
        assertThat(quorum.leader().id).isNotEqualTo(former);
        // When
        quorum.start(former);
        // Then
        assertSameTopicsEverywhere(2);
        assertThat(quorum.nodes()).hasSize(3);
    }

    @Test
    void handsTheLeadOverAndFollowsOn() throws Exception {
        // Given
        three().create("a");
        quorum.awaitConverged();
        RatisQuorum.Node former = quorum.leader();
        // When: a courtesy, which may fail if the other is not quick enough
        await().atMost(Duration.ofSeconds(10)).until(() -> {
            former.log.handOver();
            return quorum.leader() != former;
        });
        // Then
        quorum.create("b");
        assertThat(quorum.leader()).isNotSameAs(former);
        assertSameTopicsEverywhere(2);
        // When it is asked for by its node, which nobody is who has no vote
        assertThat(quorum.leader().log.transferLead(99).get(10, TimeUnit.SECONDS))
                .isFalse();
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> {
            quorum.leader().log.transferLead(former.id).get(10, TimeUnit.SECONDS);
            return quorum.leader() == former;
        });
        // Then
        quorum.create("c");
        assertSameTopicsEverywhere(3);
    }

    @Test
    void reachesAFollowerOverANewConnectionAfterACutThatThePresentOneDoesNotSurvive() throws Exception {
        // Given
        quorum = new RatisQuorum(directory, 3, SNAPSHOT_ENTRIES);
        List<Cable> cables = List.of(quorum.cable(1), quorum.cable(2), quorum.cable(3));
        try {
            quorum.startAll().create("a");
            quorum.awaitConverged();
            int follower = quorum.leader().id % 3 + 1;
            // When
            cables.get(follower - 1).cut();
            quorum.create("b");
            cables.get(follower - 1).heal();
            // Then
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> quorum.node(follower).metadata.image().topic("b") != null);
        } finally {
            for (Cable cable : cables) {
                cable.close();
            }
        }
    }

    @Test
    void answersAChangeOfVotersThatWaitsForAnotherAlsoIfItStopsMeanwhile() throws Exception {
        // Given a voter to be replaced by one that cannot be reached, and a change that waits for that
        three().create("a");
        quorum.awaitConverged();
        RatisQuorum.Node leader = quorum.leader();
        int lost = leader.id == 3 ? 2 : 3;
        quorum.stop(lost);
        leader.log.addVoter(lost, Uuid.randomUuid(), 60_000);
        CompletableFuture<Void> waiting = leader.log.addVoter(lost, Uuid.randomUuid(), 1_000);
        // When
        quorum.stop(leader.id);
        // Then
        assertThat(waiting).failsWithin(Duration.ofSeconds(60));
    }

    @Test
    void refusesProposalsAtOnceOnANodeThatDoesNotLead() throws Exception {
        // Given
        three().create("a");
        quorum.awaitConverged();
        RatisQuorum.Node follower = quorum.nodes().stream()
                .filter(n -> !n.controller.isActive())
                .findFirst()
                .orElseThrow();
        byte[] entry = new MetadataEntry(follower.metadata.image().index(), TestRecords.topic("b", 1)).encode();
        // When
        long start = System.nanoTime();
        CompletableFuture<Long> proposed = follower.log.propose(entry);
        // Then
        assertThatThrownBy(() -> proposed.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseInstanceOf(Exception.class)
                .hasCauseInstanceOf(NotControllerException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(500));
    }

    @Test
    void givesUpTheLeadWhenItsDiskIsFull() throws Exception {
        // Given
        three().create("a");
        RatisQuorum.Node full = quorum.leader();
        // When
        full.usableBytes.set(0);
        CompletableFuture<Integer> refused = full.create("b");
        // Then
        assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(KafkaStorageException.class);
        quorum.create("c");
        assertThat(quorum.leader().id).isNotEqualTo(full.id);
    }

    @Test
    void bringsAVoterUpToDateByASnapshotWhenTheLogIsGone() throws Exception {
        // Given
        three().create("a");
        int lagging = quorum.leader().id % 3 + 1;
        quorum.stop(lagging);
        // When
        quorum.createMany("b", 2 * SNAPSHOT_ENTRIES);
        int former = quorum.leader().id; // a new term begins a new segment, and the one before may then be deleted
        quorum.stop(former);
        quorum.start(former);
        quorum.createMany("c", SNAPSHOT_ENTRIES);
        int leader = quorum.leader().id;
        await().atMost(Duration.ofSeconds(20)).until(() -> firstLogIndex(leader) > SNAPSHOT_ENTRIES);
        quorum.start(lagging);
        // Then
        assertSameTopicsEverywhere(1 + 3 * SNAPSHOT_ENTRIES);
        // When
        quorum.stop(lagging);
        quorum.create("d");
        quorum.start(lagging);
        // Then
        assertSameTopicsEverywhere(2 + 3 * SNAPSHOT_ENTRIES);
        // When the one that came back by a snapshot is needed for the majority, and leads or not
        quorum.stop(leader);
        quorum.create("e");
        quorum.start(leader);
        // Then
        assertSameTopicsEverywhere(3 + 3 * SNAPSHOT_ENTRIES);
    }

    private long firstLogIndex(int id) throws Exception {
        try (Stream<Path> files = Files.walk(quorum.directory(id))) {
            return files.map(f -> f.getFileName().toString())
                    .filter(name -> name.startsWith("log_"))
                    .map(name -> name.startsWith("log_inprogress_")
                            ? name.substring("log_inprogress_".length())
                            : name.substring("log_".length(), name.indexOf('-')))
                    .mapToLong(Long::parseLong)
                    .min()
                    .orElse(0);
        }
    }

    @Test
    void failsProposalsWithoutAMajorityAndGoesOnWhenItIsBack() throws Exception {
        // Given
        three().create("a");
        quorum.awaitConverged();
        RatisQuorum.Node leader = quorum.leader();
        List<Integer> others = IntStream.rangeClosed(1, 3)
                .filter(id -> id != leader.id)
                .boxed()
                .toList();
        others.forEach(quorum::stop);
        // When
        CompletableFuture<Integer> lost = leader.create("lost");
        // Then
        assertThatThrownBy(() -> lost.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(NotControllerException.class);
        await().atMost(Duration.ofSeconds(5)).until(() -> !leader.controller.isActive());
        // When
        quorum.start(others.get(0));
        // Then
        quorum.create("b");
        quorum.start(others.get(1));
        quorum.create("c");
        quorum.awaitConverged();
        assertThat(quorum.node(others.get(1)).metadata.image().topic("b")).isNotNull();
    }

    @Test
    void tellsItsMembersAndHowFarEachIs() throws Exception {
        // Given
        three().create("a");
        quorum.awaitConverged();
        RatisQuorum.Node leader = quorum.leader();
        // Then
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            QuorumState state = leader.log.quorum();
            assertThat(state.position().committedIndex())
                    .isEqualTo(state.position().endIndex());
            assertThat(state.position().term()).isPositive();
            assertThat(state.observers()).isEmpty();
            assertThat(state.voters()).extracting(QuorumState.Member::nodeId).containsExactlyInAnyOrder(1, 2, 3);
            assertThat(state.voters()).allSatisfy(voter -> {
                assertThat(voter.endIndex()).isEqualTo(state.position().endIndex());
                assertThat(voter.directoryId()).isEqualTo(new Uuid(voter.nodeId(), voter.nodeId()));
                assertThat(voter.answeredMsAgo()).isBetween(0L, 5_000L);
            });
        });
        int follower = leader.id % 3 + 1;
        assertThatThrownBy(() -> quorum.node(follower).log.quorum()).isInstanceOf(NotControllerException.class);
        // When
        quorum.stop(follower);
        quorum.create("b");
        // Then
        QuorumState without = leader.log.quorum();
        assertThat(without.voters())
                .filteredOn(voter -> voter.nodeId() == follower)
                .singleElement()
                .satisfies(voter -> assertThat(voter.endIndex())
                        .isLessThan(without.position().committedIndex()));
    }

    @Test
    void tellsAllOfAChangeBeforeTheNextHeartbeat() throws Exception {
        // Given: heartbeats every six seconds
        quorum = new RatisQuorum(directory, 3, SNAPSHOT_ENTRIES, 12_000).startAll();
        for (int i = 0; i < 5; i++) {
            String topic = "t" + i;
            // When
            quorum.create(topic);
            // Then
            await().atMost(Duration.ofSeconds(5)).until(() -> quorum.nodes().stream()
                    .allMatch(node -> node.metadata.image().topic(topic) != null));
        }
    }

    @Test
    void leavesNoThreadBehind() throws Exception {
        // Given: a journal that could not be opened, of another test, may have left one of its own
        Set<Thread> before = ofJournals();
        three().create("a");
        // When
        quorum.close();
        // Then
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(before).containsAll(ofJournals()));
    }

    private static Set<Thread> ofJournals() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().matches(".*@group-.*|grpc.*|barnabas-raft.*|timer[0-9]+"))
                .collect(Collectors.toSet());
    }
}
