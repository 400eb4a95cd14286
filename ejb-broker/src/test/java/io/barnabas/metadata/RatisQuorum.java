package io.barnabas.metadata;

import static org.awaitility.Awaitility.await;

import io.barnabas.metadata.Controller.Decision;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.NullUnmarked;

/** Several {@link RatisMetadataLog}s in one process, over real sockets and files, each with an image and a controller. */
@NullUnmarked
final class RatisQuorum implements AutoCloseable {
    private final Path directory;
    private final List<RatisSettings.Voter> voters = new ArrayList<>(); // as they reach each other
    private final List<Integer> ports;
    private final int snapshotEntries;
    private final int electionTimeoutMs;
    private final ConcurrentMap<Integer, Node> running = new ConcurrentHashMap<>();
    /** What went wrong anywhere. */
    final List<Throwable> failures = new CopyOnWriteArrayList<>();

    RatisQuorum(Path directory, int size, int snapshotEntries) {
        this(directory, size, snapshotEntries, RatisSettings.ELECTION_TIMEOUT_MS);
    }

    RatisQuorum(Path directory, int size, int snapshotEntries, int electionTimeoutMs) {
        this.directory = directory;
        this.snapshotEntries = snapshotEntries;
        this.electionTimeoutMs = electionTimeoutMs;
        this.ports = FreePorts.take(size);
        for (int id = 1; id <= size; id++) {
            voters.add(new RatisSettings.Voter(id, "127.0.0.1", ports.get(id - 1), new Uuid(id, id)));
        }
    }

    /** Has the others reach a voter over a cable that can be cut; before the start. */
    Cable cable(int id) throws IOException {
        Cable cable = new Cable(ports.get(id - 1));
        voters.set(id - 1, new RatisSettings.Voter(id, "127.0.0.1", cable.port(), new Uuid(id, id)));
        return cable;
    }

    RatisQuorum startAll() throws IOException {
        for (RatisSettings.Voter voter : voters) {
            start(voter.nodeId());
        }
        return this;
    }

    Node start(int id) throws IOException {
        Node node = new Node(id);
        running.put(id, node);
        node.log.start(node.metadata);
        return node;
    }

    /** Ends a node; what others are in the middle of with it fails. */
    void stop(int id) {
        running.remove(id).close();
    }

    Node node(int id) {
        return running.get(id);
    }

    List<Node> nodes() {
        return List.copyOf(running.values());
    }

    Path directory(int id) {
        return directory.resolve("node-" + id);
    }

    Optional<Node> activeNode() {
        return running.values().stream().filter(n -> n.controller.isActive()).findFirst();
    }

    /** The node that leads and knows it; the others that run may hear later. */
    Node leader() {
        return await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(5))
                .until(this::activeNode, Optional::isPresent)
                .orElseThrow();
    }

    /** Makes a topic by whatever leads, trying again until it is there; names are not used twice. */
    void create(String topic) {
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(5))
                .ignoreExceptions()
                .until(() -> {
                    Node leader = leader();
                    return leader.metadata.image().topic(topic) != null
                            || leader.create(topic).get(10, TimeUnit.SECONDS) != null;
                });
    }

    /** Makes topics, the names numbered. */
    void createMany(String prefix, int count) {
        for (int i = 0; i < count; i++) {
            create(prefix + i);
        }
    }

    /** Waits until all that run have the same image. */
    void awaitConverged() {
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    long index = leader().metadata.image().index();
                    return nodes().stream()
                            .allMatch(n -> n.metadata.image().index() == index
                                    && n.metadata.image().controllerId() >= 0);
                });
    }

    @Override
    public void close() {
        List.copyOf(running.keySet()).parallelStream().forEach(this::stop);
    }

    /** One voter. */
    final class Node {
        final int id;
        final ReplayedMetadata metadata;
        final RatisMetadataLog log;
        final Controller controller;
        final AtomicLong usableBytes = new AtomicLong(Long.MAX_VALUE);
        private final ExecutorService executor =
                new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());

        Node(int id) {
            this.id = id;
            this.metadata = new ReplayedMetadata(TestMetadata.CLUSTER_ID, failures::add);
            this.log = new RatisMetadataLog(
                    new RatisSettings(
                            directory(id),
                            TestMetadata.CLUSTER_ID,
                            Incarnation.FIRST,
                            new RatisSettings.Voter(id, "127.0.0.1", ports.get(id - 1), new Uuid(id, id)),
                            voters,
                            electionTimeoutMs,
                            snapshotEntries,
                            null),
                    new JournalRoom(directory(id), usableBytes::get));
            this.controller = new Controller(log, metadata, id, executor);
        }

        CompletableFuture<Integer> create(String topic) {
            return controller.submit("t", image -> Decision.of(TestRecords.topic(topic, 1), 1));
        }

        private void close() {
            log.close();
            executor.shutdown();
        }
    }
}
