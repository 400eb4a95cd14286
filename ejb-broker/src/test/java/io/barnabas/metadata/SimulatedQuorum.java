package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotControllerException;
import org.jspecify.annotations.NullUnmarked;

/**
 * Three nodes over one simulated metadata log, by seed and in one thread: an event has a virtual time, and nothing else decides what
 * comes next. Entries are committed and applied after delays of each node's own; proposals are lost, or fail and are committed all the
 * same, at once or long after, or are committed twice; leaders are deposed at any moment and learn of it late. What is kept: entries
 * are applied in the log's order, and a node leads only after it has applied all that was committed before.
 */
@NullUnmarked
final class SimulatedQuorum {
    private static final int NODES = 3;

    final List<Node> nodes = new ArrayList<>();
    private final Random random;
    private final boolean voidEntries;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::order));
    private final List<byte[]> log = new ArrayList<>();
    private long now;
    private long order;
    private int leader = MetadataLog.NO_LEADER;
    private int term;
    private boolean healed;

    private record Event(long at, long order, Runnable run) {}

    /** @param voidEntries whether an entry that meets another state than it was decided on changes nothing, as it must be */
    SimulatedQuorum(long seed, boolean voidEntries) {
        this.random = new Random(seed);
        this.voidEntries = voidEntries;
        for (int id = 0; id < NODES; id++) {
            nodes.add(new Node(id));
        }
        after(0, this::elect);
    }

    /** Runs {@code event} after at most {@code delay}. */
    void after(int delay, Runnable event) {
        events.add(new Event(now + random.nextInt(delay + 1), order++, event));
    }

    Node anyNode() {
        return nodes.get(random.nextInt(NODES));
    }

    /** From now on nothing is lost or deposed. */
    void heal() {
        healed = true;
    }

    /** Runs until nothing is left to happen. */
    void run() {
        int left = 1_000_000;
        for (Event next = events.poll(); next != null; next = events.poll()) {
            now = next.at;
            next.run.run();
            if (--left == 0) {
                throw new AssertionError("The simulation does not come to rest");
            }
        }
    }

    private void elect() {
        int elected = ++term;
        Node node = anyNode();
        leader = node.id;
        node.applyAll();
        node.onLeader(elected, node.id);
        nodes.forEach(each -> after(80, () -> each.onLeader(elected, node.id)));
        if (!healed) {
            after(400, this::depose);
        }
    }

    private void depose() {
        int deposed = ++term;
        leader = MetadataLog.NO_LEADER;
        nodes.forEach(each -> after(80, () -> each.onLeader(deposed, MetadataLog.NO_LEADER)));
        after(100, this::elect);
    }

    private void commit(byte[] entry) {
        log.add(entry);
        nodes.forEach(each -> after(40, each::applyAll));
    }

    /** One node: its end of the log, its image, its controller. */
    final class Node implements MetadataLog {
        final ReplayedMetadata metadata;
        final Controller controller;
        private final int id;
        private final Map<Integer, CompletableFuture<Long>> proposed = new HashMap<>();
        private int applied;
        private int termSeen;
        private long executorFree;

        Node(int id) {
            this.id = id;
            this.metadata = new ReplayedMetadata(TestMetadata.CLUSTER_ID, e -> {
                throw new AssertionError(e);
            });
            this.controller = new Controller(this, metadata, id, this::execute);
        }

        private void execute(Runnable command) {
            executorFree = Math.max(executorFree, now + random.nextInt(3));
            events.add(new Event(executorFree, order++, command));
        }

        private void onLeader(int of, int node) {
            if (of >= termSeen) {
                termSeen = of;
                metadata.onLeader(node);
            }
        }

        private void applyAll() {
            while (applied < log.size()) {
                byte[] entry = log.get(applied++);
                boolean tookEffect = metadata.apply(applied, voidEntries ? entry : onWhateverIsThere(entry));
                CompletableFuture<Long> answer = proposed.remove(applied);
                if (answer != null && tookEffect) {
                    answer.complete((long) applied);
                } else if (answer != null) {
                    answer.completeExceptionally(new NotControllerException("void"));
                }
            }
        }

        private byte[] onWhateverIsThere(byte[] entry) {
            return new MetadataEntry(
                            metadata.image().index(),
                            MetadataEntry.decode(entry).records())
                    .encode();
        }

        @Override
        public CompletableFuture<Long> propose(byte[] entry) {
            CompletableFuture<Long> answer = new CompletableFuture<>();
            int fate = healed ? 9 : random.nextInt(10);
            after(20, () -> arrive(entry, fate, answer));
            return answer;
        }

        private void arrive(byte[] entry, int fate, CompletableFuture<Long> answer) {
            if (leader != id || fate <= 2) {
                answer.completeExceptionally(new NotControllerException("outcome unknown"));
                if (fate == 1) {
                    commit(entry);
                } else if (fate == 2) {
                    after(600, () -> commit(entry));
                }
                return;
            }
            proposed.put(log.size() + 1, answer);
            commit(entry);
            if (fate == 3) {
                after(300, () -> commit(entry));
            }
        }

        @Override
        public void start(StateMachine stateMachine) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompletableFuture<Void> addVoter(int node, Uuid directoryId, int timeoutMs) {
            return CompletableFuture.failedFuture(new UnsupportedOperationException());
        }

        @Override
        public CompletableFuture<Void> removeVoter(int node, Uuid directoryId, int timeoutMs) {
            return CompletableFuture.failedFuture(new UnsupportedOperationException());
        }

        @Override
        public QuorumState quorum() {
            return new QuorumState(new LogPosition(term, log.size() + 1L, log.size() + 1L), List.of(), List.of());
        }

        @Override
        public void close() {}
    }
}
