package io.barnabas.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.metadata.Controller.Decision;
import io.barnabas.time.SerialExecutor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.DuplicateVoterException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.kafka.common.errors.VoterNotFoundException;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.ratis.thirdparty.io.grpc.CallOptions;
import org.apache.ratis.thirdparty.io.grpc.ManagedChannel;
import org.apache.ratis.thirdparty.io.grpc.stub.ClientCalls;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes of one cluster, as to their metadata, in one process. */
@NullUnmarked
class MetadataNodesTest {
    @TempDir
    Path directory;

    private final List<RatisSettings.Voter> voters = new ArrayList<>();
    private final Map<Integer, MetadataNode> nodes = new ConcurrentHashMap<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final ExecutorService executor =
            new ThreadPoolExecutor(8, 8, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final AtomicBoolean stopping = new AtomicBoolean();

    private final Map<Integer, RatisSettings.Voter> observers = new ConcurrentHashMap<>();

    private void voters(int count) {
        List<Integer> ports = FreePorts.take(count + 1);
        for (int i = 0; i < count; i++) {
            voters.add(new RatisSettings.Voter(i + 1, "127.0.0.1", ports.get(i)));
        }
        observers.put(count + 1, new RatisSettings.Voter(count + 1, "127.0.0.1", ports.get(count)));
    }

    private CompletableFuture<MetadataNode> open(int id) {
        if (voters.isEmpty()) {
            voters(3);
        }
        RatisSettings.Voter self = id > voters.size() ? observers.get(id) : voters.get(id - 1);
        SerialExecutor commands = new SerialExecutor(executor, 1, failures::add);
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        MetadataNode node = MetadataNode.open(
                                MetadataNodeSettings.member(directory.resolve("node-" + id), self, List.copyOf(voters)),
                                Uuid::randomUuid,
                                task -> executor.execute(() -> commands.execute(task)),
                                failures::add,
                                stopping::get);
                        nodes.put(id, node);
                        return node;
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                },
                executor);
    }

    private void openAll() throws Exception {
        if (voters.isEmpty()) {
            voters(3);
        }
        List<CompletableFuture<MetadataNode>> opening =
                voters.stream().map(RatisSettings.Voter::nodeId).map(this::open).toList();
        for (CompletableFuture<MetadataNode> node : opening) {
            node.get(60, TimeUnit.SECONDS).ready().get(60, TimeUnit.SECONDS);
        }
    }

    private void close(int id) {
        nodes.remove(id).close();
    }

    @AfterEach
    void stop() {
        stopping.set(true);
        List.copyOf(nodes.keySet()).parallelStream().forEach(this::close);
        executor.shutdown();
        assertThat(failures).isEmpty();
    }

    private void wipe(int id) throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("node-" + id))) {
            files.sorted(java.util.Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        }
    }

    private int controller() {
        return await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(5))
                .until(
                        () -> nodes.entrySet().stream()
                                .filter(n -> n.getValue().controller().isActive())
                                .map(Map.Entry::getKey)
                                .findFirst()
                                .orElse(-1),
                        id -> id > 0);
    }

    private void create(int id, String topic) throws Exception {
        nodes.get(id)
                .controller()
                .submit("t", image -> Decision.of(TestRecords.topic(topic, 2), true))
                .get(30, TimeUnit.SECONDS);
    }

    private void awaitTopicEverywhere(String topic) {
        await().atMost(Duration.ofSeconds(30)).until(() -> nodes.values().stream()
                .allMatch(node -> node.metadata().image().topic(topic) != null));
    }

    @Test
    void formsOneClusterWhichEveryNodeSeesAlike() throws Exception {
        // When
        openAll();
        int controller = controller();
        create(controller, "a");
        awaitTopicEverywhere("a");
        // Then
        Set<Object> images = new HashSet<>();
        for (MetadataNode node : nodes.values()) {
            MetadataImage image = node.metadata().image();
            images.add(List.of(
                    node.clusterId(), image.clusterId(), image.index(), image.controllerId(), image.features()));
        }
        assertThat(images).hasSize(1);
        assertThat(images.toString()).contains("metadata.version");
    }

    @Test
    void goesOnWithoutTwoOfFiveVoters() throws Exception {
        // Given
        voters(5);
        openAll();
        create(controller(), "a");
        awaitTopicEverywhere("a");
        // When
        close(controller());
        close(controller());
        // Then
        create(controller(), "b");
        awaitTopicEverywhere("b");
        assertThat(nodes.get(controller()).controller().quorum().voters()).hasSize(5);
    }

    @Test
    void takesCommandsOnlyOnTheControllerAndHandsItsWorkOverAtACleanStop() throws Exception {
        // Given
        openAll();
        int controller = controller();
        int other = controller % 3 + 1;
        // Then
        assertThatThrownBy(() -> create(other, "a"))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(NotControllerException.class);
        // When
        create(controller, "a");
        CompletableFuture<Void> closing = CompletableFuture.runAsync(() -> close(controller), executor);
        int next = await().pollInterval(Duration.ofMillis(1)).until(this::controller, id -> id != controller);
        create(next, "b");
        closing.get(30, TimeUnit.SECONDS);
        // Then
        assertThat(nodes.get(next).metadata().image().topic("a")).isNotNull();
        // When
        open(controller).get(30, TimeUnit.SECONDS);
        // Then
        awaitTopicEverywhere("b");
    }

    @Test
    void startsAgainWithAMajorityAndIsOneClusterStill() throws Exception {
        // Given
        openAll();
        create(controller(), "a");
        String cluster = nodes.get(1).clusterId();
        List.of(1, 2, 3).parallelStream().forEach(this::close);
        // When
        open(2).get(30, TimeUnit.SECONDS);
        MetadataNode third = open(3).get(30, TimeUnit.SECONDS);
        // Then
        third.ready().get(30, TimeUnit.SECONDS);
        create(controller(), "b");
        awaitTopicEverywhere("b");
        assertThat(third.clusterId()).isEqualTo(cluster);
        // When
        open(1).get(30, TimeUnit.SECONDS);
        // Then
        awaitTopicEverywhere("b");
    }

    @Test
    void givesAVoterWhoseDirectoryWasLostAllMetadataAndNoVote() throws Exception {
        // Given
        openAll();
        create(controller(), "a");
        awaitTopicEverywhere("a");
        List.of(1, 2, 3).parallelStream().forEach(this::close);
        // When only one comes back that is what it was
        wipe(1);
        open(2).get(30, TimeUnit.SECONDS);
        MetadataNode wiped = open(1).get(30, TimeUnit.SECONDS);
        // Then
        assertThatThrownBy(() -> nodes.get(2).ready().get(1500, TimeUnit.MILLISECONDS))
                .isInstanceOf(java.util.concurrent.TimeoutException.class);
        // When
        MetadataNode third = open(3).get(30, TimeUnit.SECONDS);
        third.ready().get(30, TimeUnit.SECONDS);
        create(controller(), "b");
        // Then
        assertThat(wiped.clusterId()).isEqualTo(third.clusterId());
        wiped.ready().get(30, TimeUnit.SECONDS);
        awaitTopicEverywhere("b");
        assertThat(controller()).isNotEqualTo(1);
        QuorumState quorum = nodes.get(controller()).controller().quorum();
        assertThat(quorum.voters()).extracting(QuorumState.Member::directoryId).doesNotContain(wiped.directoryId());
        assertThat(quorum.observers())
                .extracting(QuorumState.Member::directoryId)
                .containsExactly(wiped.directoryId());
    }

    @Test
    void givesAVoterWithANewDirectoryItsVoteBackByOneCommand() throws Exception {
        // Given
        openAll();
        create(controller(), "a");
        close(1);
        create(controller(), "b");
        wipe(1);
        MetadataNode wiped = open(1).get(30, TimeUnit.SECONDS);
        // When
        Controller controller = nodes.get(controller()).controller();
        controller.addVoter(1, wiped.directoryId(), 30_000).get(30, TimeUnit.SECONDS);
        // Then
        wiped.ready().get(30, TimeUnit.SECONDS);
        awaitTopicEverywhere("b");
        assertThat(controller.quorum().voters())
                .extracting(QuorumState.Member::nodeId)
                .containsExactlyInAnyOrder(1, 2, 3);
        assertThatThrownBy(
                        () -> controller.addVoter(1, wiped.directoryId(), 1_000).get())
                .hasCauseInstanceOf(DuplicateVoterException.class);
        assertThatThrownBy(
                        () -> controller.addVoter(7, wiped.directoryId(), 1_000).get())
                .hasCauseInstanceOf(InvalidRequestException.class);
        // When its vote is needed, also after a restart
        close(controller() == 2 ? 2 : 3);
        create(controller(), "c");
        close(1);
        open(1).get(30, TimeUnit.SECONDS).ready().get(30, TimeUnit.SECONDS);
        // Then
        create(controller(), "d");
        awaitTopicEverywhere("d");
    }

    @Test
    void givesTheVoteOfANodeToAnotherMachineOfItsNumberWhoseAddressTheOthersWereTold() throws Exception {
        // Given
        openAll();
        create(controller(), "a");
        // When the others start again, one after another, with an address of node 3 where nobody is yet
        voters.set(2, new RatisSettings.Voter(3, "127.0.0.1", observers.get(4).port()));
        for (int id : List.of(1, 2)) {
            close(id);
            open(id).get(30, TimeUnit.SECONDS).ready().get(30, TimeUnit.SECONDS);
        }
        create(controller(), "b");
        awaitTopicEverywhere("b");
        // When another machine starts there, and is given the vote
        close(3);
        wipe(3);
        MetadataNode other = open(3).get(30, TimeUnit.SECONDS);
        nodes.get(controller())
                .controller()
                .addVoter(3, other.directoryId(), 30_000)
                .get(30, TimeUnit.SECONDS);
        other.ready().get(30, TimeUnit.SECONDS);
        // Then its vote counts
        close(1);
        create(controller(), "c");
        awaitTopicEverywhere("c");
    }

    @Test
    void takesAVoteAwayIfTheOthersCanGoOn() throws Exception {
        // Given
        openAll();
        int leader = controller();
        Controller controller = nodes.get(leader).controller();
        int second = leader % 3 + 1;
        Uuid directoryId = nodes.get(second).directoryId();
        await().until(() -> controller.quorum().voters().stream().allMatch(v -> v.answeredMsAgo() < 400));
        // When
        controller.removeVoter(second, directoryId, 30_000).get(30, TimeUnit.SECONDS);
        // Then
        assertThat(controller.quorum().voters())
                .extracting(QuorumState.Member::nodeId)
                .doesNotContain(second)
                .hasSize(2);
        assertThatThrownBy(
                        () -> controller.removeVoter(second, directoryId, 1_000).get())
                .hasCauseInstanceOf(VoterNotFoundException.class);
        create(leader, "a");
    }

    @Test
    void doesNotBeginWithoutAllOfItsVotersAndCanBeStoppedMeanwhile() throws Exception {
        // When
        CompletableFuture<MetadataNode> first = open(1);
        CompletableFuture<MetadataNode> second = open(2);
        // Then
        assertThatThrownBy(() -> first.get(1, TimeUnit.SECONDS))
                .isInstanceOf(java.util.concurrent.TimeoutException.class);
        // When
        stopping.set(true);
        // Then
        assertThatThrownBy(() -> first.get(30, TimeUnit.SECONDS)).hasStackTraceContaining("stopped before");
        assertThatThrownBy(() -> second.get(30, TimeUnit.SECONDS)).hasStackTraceContaining("stopped before");
    }

    @Test
    void letsANodeWithoutAVoteFollowThroughRestartsAndChangesOfTheController() throws Exception {
        // Given
        openAll();
        // When
        open(4).get(60, TimeUnit.SECONDS).ready().get(60, TimeUnit.SECONDS);
        create(controller(), "a");
        // Then
        awaitTopicEverywhere("a");
        await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
            QuorumState quorum = nodes.get(controller()).controller().quorum();
            assertThat(quorum.voters()).extracting(QuorumState.Member::nodeId).containsExactlyInAnyOrder(1, 2, 3);
            assertThat(quorum.observers())
                    .extracting(QuorumState.Member::nodeId)
                    .containsExactly(4);
        });
        // When it was away, and another leads
        close(4);
        int former = controller();
        create(former, "b");
        close(former);
        create(controller(), "c");
        open(4).get(60, TimeUnit.SECONDS).ready().get(60, TimeUnit.SECONDS);
        // Then
        awaitTopicEverywhere("c");
        assertThat(nodes.get(4).controller().isActive()).isFalse();
        // When the voters have no majority: the observer is not one
        close(controller());
        // Then
        int last = nodes.keySet().stream().filter(id -> id < 4).findFirst().orElseThrow();
        await().during(Duration.ofSeconds(2))
                .atMost(Duration.ofSeconds(10))
                .until(() -> !nodes.get(last).controller().isActive()
                        && !nodes.get(4).controller().isActive());
        // When
        open(former).get(60, TimeUnit.SECONDS);
        create(controller(), "d");
        // Then
        awaitTopicEverywhere("d");
    }

    @Test
    void letsANodeFollowALoneVoter() throws Exception {
        // Given
        voters(1);
        CompletableFuture<MetadataNode> observer = open(2); // which is there first
        open(1).get(60, TimeUnit.SECONDS);
        // When
        observer.get(60, TimeUnit.SECONDS).ready().get(60, TimeUnit.SECONDS);
        create(1, "a");
        // Then
        awaitTopicEverywhere("a");
        assertThat(nodes.get(2).clusterId()).isEqualTo(nodes.get(1).clusterId());
        // When
        close(1);
        open(1).get(60, TimeUnit.SECONDS);
        create(controller(), "b");
        // Then
        awaitTopicEverywhere("b");
    }

    @Test
    void refusesADirectoryOfANodeAloneOrOfOtherVoters() throws Exception {
        // Given
        openAll();
        close(1);
        RatisSettings.Voter stranger = new RatisSettings.Voter(4, "127.0.0.1", 1);
        Path first = directory.resolve("node-1");
        // Then
        assertThatThrownBy(() -> MetadataNode.open(
                        MetadataNodeSettings.member(
                                first, voters.get(0), List.of(voters.get(0), voters.get(1), stranger)),
                        Uuid::randomUuid,
                        executor,
                        failures::add))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("belongs to a quorum of the nodes [1, 2, 3]");
        assertThatThrownBy(() -> MetadataNode.open(
                        MetadataNodeSettings.oneNode(first, 1, null), Uuid::randomUuid, executor, failures::add))
                .hasMessageContaining("controller.quorum.voters");
        MetadataNode.open(
                        MetadataNodeSettings.oneNode(directory.resolve("alone"), 1, null),
                        Uuid::randomUuid,
                        executor,
                        failures::add)
                .close();
        assertThatThrownBy(() -> MetadataNode.open(
                        MetadataNodeSettings.member(directory.resolve("alone"), voters.get(0), voters),
                        Uuid::randomUuid,
                        executor,
                        failures::add))
                .hasMessageContaining("a node that is alone");
    }

    private ForcedRecovery recovery(int id) throws IOException {
        return ForcedRecovery.prepare(
                MetadataNodeSettings.member(directory.resolve("node-" + id), voters.get(id - 1), voters),
                new LiveConfig(BrokerConfig.of(Map.of("node.id", Integer.toString(id)))));
    }

    @Test
    void goesOnByForceWithTheOneThatIsLeftOfThree() throws Exception {
        // Given
        openAll();
        create(controller(), "a");
        awaitTopicEverywhere("a");
        String cluster = nodes.get(1).clusterId();
        MetadataImage before = nodes.get(1).metadata().image();
        List.of(1, 2, 3).parallelStream().forEach(this::close);
        wipe(2);
        // When
        try (ForcedRecovery recovery = recovery(1)) {
            assertThat(recovery.report()).anyMatch(line -> line.startsWith("LOST is every change"));
            recovery.carryOut(Uuid::randomUuid);
        }
        MetadataNode left = open(1).get(30, TimeUnit.SECONDS);
        left.ready().get(30, TimeUnit.SECONDS);
        // Then it has all, and nothing that is given out now can be what the lost ones gave out
        MetadataImage after = left.metadata().image();
        assertThat(left.clusterId()).isEqualTo(cluster);
        assertThat(after.index()).isGreaterThan(before.index() + ForcedRecovery.INDEX_LEAP - 1);
        assertThat(after.partition("a", 0).leaderEpoch())
                .isEqualTo(before.partition("a", 0).leaderEpoch() + ForcedRecovery.EPOCH_LEAP);
        create(controller(), "b");
        // When one comes back with an empty directory, the other with its former one
        MetadataNode empty = open(2).get(30, TimeUnit.SECONDS);
        MetadataNode former = open(3).get(30, TimeUnit.SECONDS);
        // Then they have no vote by themselves
        assertThat(left.controller().quorum().voters())
                .extracting(QuorumState.Member::nodeId)
                .containsExactly(1);
        // When
        left.controller().addVoter(2, empty.directoryId(), 30_000).get(30, TimeUnit.SECONDS);
        left.controller().addVoter(3, former.directoryId(), 30_000).get(30, TimeUnit.SECONDS);
        // Then
        awaitTopicEverywhere("b");
        assertThat(former.clusterId()).isEqualTo(cluster);
        // When their votes are needed, also after restarts
        close(1);
        create(controller(), "c");
        close(2);
        open(1).get(30, TimeUnit.SECONDS);
        create(controller(), "d");
        open(2).get(30, TimeUnit.SECONDS);
        // Then
        awaitTopicEverywhere("d");
    }

    @Test
    void isNotRecoveredByForceWhileItRunsOrItsMajorityDoes() throws Exception {
        // Given
        openAll();
        // Then
        assertThatThrownBy(() -> recovery(1)).isInstanceOf(IOException.class).hasMessageContaining("in use");
        // When
        close(1);
        // Then
        assertThatThrownBy(() -> recovery(1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("start it, nothing is lost");
        assertThatThrownBy(() -> ForcedRecovery.prepare(
                        MetadataNodeSettings.oneNode(directory, 1, null),
                        new LiveConfig(BrokerConfig.of(Map.of("node.id", "1")))))
                .hasMessageContaining("is alone");
    }

    @Test
    void sendsTheLogNoMoreToANodeThatHasLeftTheCluster() throws Exception {
        // Given
        openAll();
        open(4).get(60, TimeUnit.SECONDS).ready().get(60, TimeUnit.SECONDS);
        MetadataNode leader = nodes.get(controller());
        Controller controller = leader.controller();
        await().until(() -> controller.quorum().observers().size() == 1);
        submit(controller, new RegisterBrokerRecord().setBrokerId(4).setBrokerEpoch(-1));
        long epoch = leader.metadata().image().broker(4).orElseThrow().epoch();
        close(4);
        // When
        submit(controller, new UnregisterBrokerRecord().setBrokerId(4).setBrokerEpoch(epoch));
        // Then
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(controller.quorum().observers()).isEmpty());
        // When it comes back
        open(4).get(60, TimeUnit.SECONDS).ready().get(60, TimeUnit.SECONDS);
        // Then
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(controller.quorum().observers()).hasSize(1));
    }

    private static void submit(Controller controller, ApiMessage record) throws Exception {
        controller.submit("t", image -> Decision.of(List.of(record), true)).get(30, TimeUnit.SECONDS);
    }

    @Test
    void changesItsVotersAlthoughANodeAsksForTheLogThatCannotBeReached() throws Exception {
        // Given
        openAll();
        int leader = controller();
        Controller controller = nodes.get(leader).controller();
        int second = leader % 3 + 1;
        Uuid directoryId = nodes.get(second).directoryId();
        await().until(() -> controller.quorum().voters().stream().allMatch(v -> v.answeredMsAgo() < 400));
        RaftEventLoops network = new RaftEventLoops(null);
        RatisSettings.Voter at = voters.get(leader - 1);
        ManagedChannel channel = network.channel(at.host(), at.port());
        try {
            String nobody = "9\n" + Uuid.randomUuid() + "\n127.0.0.1\n"
                    + FreePorts.take(1).get(0) + "\n" + nodes.get(leader).clusterId();
            // When
            assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(
                            channel,
                            VoterIntroduction.method("barnabas.Observer", "Observe"),
                            CallOptions.DEFAULT.withDeadlineAfter(5, TimeUnit.SECONDS),
                            nobody.getBytes(StandardCharsets.UTF_8)))
                    .hasMessageContaining("UNAVAILABLE");
            // Then
            controller.removeVoter(second, directoryId, 5_000).get(10, TimeUnit.SECONDS);
            assertThat(controller.quorum().observers()).isEmpty();
        } finally {
            channel.shutdownNow();
            network.close();
        }
    }
}
