package io.barnabas.metadata;

import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotControllerException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.NullUnmarked;

/**
 * Nodes over one simulated metadata log, by seed and in one thread: a virtual clock decides what comes next, and nothing else. Entries are
 * committed by a leader that reaches a majority, and applied after delays of each node's own; proposals are lost, or fail and are
 * committed all the same, at once or long after, or are committed twice; leaders are deposed at any moment and learn of it late. What is
 * kept: entries are applied in the log's order, and a node leads only after it has applied all that was committed before.
 */
@NullUnmarked
public final class SimulatedQuorum {
    private static final int WATCH_MS = 20;
    private static final int LATE_MS = 600;

    private final Random random;
    private final Ticker ticker;
    private final Temper temper;
    private final Reach reach;
    private final Map<Integer, Node> nodes = new TreeMap<>();
    private final List<byte[]> log = new ArrayList<>();
    private final ReplayedMetadata committed = replayed();
    private int voters;
    private int leader = MetadataLog.NO_LEADER;
    private int term;
    private boolean electing;
    private boolean healed;
    private boolean readsAtOnce;

    /**
     * How the log behaves until it is healed.
     *
     * @param leadMs a leader is deposed after at most so long; 0 for never
     * @param electionMs without a leader for at most so long
     * @param newsMs a node learns after at most so long that there is no leader
     * @param applyMs an entry reaches a node after at most so long
     * @param faultPercent proposals that go wrong in one of four ways
     * @param voidEntries whether an entry that meets another state than it was decided on changes nothing, as it must be
     */
    public record Temper(int leadMs, int electionMs, int newsMs, int applyMs, int faultPercent, boolean voidEntries) {}

    /** Which nodes hear each other. */
    public interface Reach {
        boolean hears(int node, int from);
    }

    public SimulatedQuorum(Random random, Ticker ticker, Temper temper, Reach reach) {
        this.random = random;
        this.ticker = ticker;
        this.temper = temper;
        this.reach = reach;
    }

    private static ReplayedMetadata replayed() {
        return new ReplayedMetadata(TestMetadata.CLUSTER_ID, e -> {
            throw new AssertionError(e);
        });
    }

    /**
     * A node's process begins; it knows some of what its former life knew.
     *
     * @param life runs what the process does, for as long as it lives
     */
    public Node join(int id, Consumer<Runnable> life) {
        Node former = nodes.get(id);
        Node node = new Node(id, life);
        nodes.put(id, node);
        voters = nodes.size();
        if (former != null) {
            former.gone = true;
            node.applyUpTo(random.nextInt(former.applied + 1));
        }
        return node;
    }

    /** Elects a first leader, and watches that there is one. */
    public void start() {
        after(0, this::elect);
        after(WATCH_MS, this::watch);
    }

    /** Tells of what is committed and takes effect. */
    public void onCommitted(BiConsumer<Long, List<ApiMessage>> listener) {
        committed.onEntry(new ReplayedMetadata.EntryListener() {
            @Override
            public void onEntry(List<ApiMessage> records, MetadataImage image) {
                listener.accept(image.index(), records);
            }

            @Override
            public void onSnapshot(MetadataImage image) {
                // what was before is not told
            }
        });
    }

    /** Commits records as if a controller had decided them on the truth. */
    public void decide(List<? extends ApiMessage> records) {
        commit(new MetadataEntry(committed.image().index(), List.copyOf(records)).encode());
    }

    /** Runs {@code event} after at most {@code delay}. */
    void after(int delay, Runnable event) {
        ticker.after(random.nextInt(delay + 1), event);
    }

    Node anyNode() {
        return nodes.get(List.copyOf(nodes.keySet()).get(random.nextInt(nodes.size())));
    }

    /** Entries without records are answered without the log from now on, as they must not be. */
    void answerReadsAtOnce() {
        readsAtOnce = true;
    }

    /** From now on nothing is lost or deposed without a reason. */
    public void heal() {
        healed = true;
    }

    /** The truth: what is committed, wherever it is known. */
    public MetadataImage committed() {
        return committed.image();
    }

    /** The node that leads the log, or {@link MetadataLog#NO_LEADER}. */
    public int leader() {
        return leader;
    }

    /** Whether every node knows everything. */
    boolean rests() {
        return nodes.values().stream().allMatch(node -> node.applied == log.size() && node.proposed.isEmpty());
    }

    // ---- leaders

    private boolean reachesMajority(int id) {
        long reached = nodes.keySet().stream()
                .filter(other -> reach.hears(id, other) && reach.hears(other, id))
                .count();
        return 2 * reached > voters;
    }

    private void watch() {
        if (leader >= 0 && !reachesMajority(leader)) {
            depose(term);
        }
        nodes.values().forEach(this::bring);
        ticker.after(WATCH_MS, this::watch);
    }

    /** Brings a node what it lacks. */
    private void bring(Node to) {
        if (leader >= 0 && reach.hears(to.id, leader) && (to.applied < log.size() || to.termSeen < term)) {
            int upTo = log.size();
            int of = term;
            int from = leader;
            ticker.after(
                    to.lagMs + random.nextInt(temper.applyMs + 1),
                    () -> to.run(() -> {
                        to.applyUpTo(upTo);
                        to.onLeader(of, from);
                    }));
        }
    }

    private void elect() {
        List<Node> electable =
                nodes.values().stream().filter(node -> reachesMajority(node.id)).toList();
        if (electable.isEmpty()) {
            after(temper.electionMs, this::elect);
            return;
        }
        electing = false;
        int elected = ++term;
        Node node = electable.get(random.nextInt(electable.size()));
        leader = node.id;
        node.run(() -> {
            node.applyUpTo(log.size());
            node.onLeader(elected, node.id);
        });
        nodes.values().forEach(this::bring);
        if (!healed && temper.leadMs > 0) {
            after(temper.leadMs, () -> depose(elected));
        }
    }

    private void depose(int of) {
        if (of != term || electing || (healed && reachesMajority(leader))) {
            return;
        }
        electing = true;
        int deposed = ++term;
        leader = MetadataLog.NO_LEADER;
        nodes.values()
                .forEach(each ->
                        after(temper.newsMs, () -> each.run(() -> each.onLeader(deposed, MetadataLog.NO_LEADER))));
        after(temper.electionMs, this::elect);
    }

    private void commit(byte[] entry) {
        log.add(entry);
        committed.apply(log.size(), shaped(committed, entry));
        nodes.values().forEach(this::bring);
    }

    private byte[] shaped(ReplayedMetadata of, byte[] entry) {
        return temper.voidEntries
                ? entry
                : new MetadataEntry(
                                of.image().index(), MetadataEntry.decode(entry).records())
                        .encode();
    }

    /** One life of one node: its end of the log, its image, its controller. */
    public final class Node implements MetadataLog {
        final ReplayedMetadata metadata = replayed();
        final Controller controller;
        private final int id;
        private final Consumer<Runnable> life;
        private final Map<Integer, CompletableFuture<Long>> proposed = new HashMap<>();
        private int applied;
        private int termSeen;
        private long lagMs;
        private boolean gone;
        private final List<Runnable> commands = new ArrayList<>();

        private Node(int id, Consumer<Runnable> life) {
            this.id = id;
            this.life = life;
            this.controller = new Controller(this, metadata, id, this::execute);
        }

        public Metadata metadata() {
            return metadata;
        }

        public Controller controller() {
            return controller;
        }

        /** It learns everything so much later from now on. */
        public void lag(long ms) {
            lagMs = ms;
        }

        private void run(Runnable task) {
            if (!gone) {
                life.accept(task);
            }
        }

        /** One after the other. */
        private void execute(Runnable command) {
            commands.add(command);
            after(2, () -> run(() -> commands.remove(0).run()));
        }

        private void onLeader(int of, int node) {
            if (of > termSeen && (node != id || of == term)) {
                termSeen = of;
                metadata.onLeader(node);
            }
        }

        private void applyUpTo(int end) {
            while (applied < end) {
                byte[] entry = log.get(applied++);
                boolean tookEffect = metadata.apply(applied, shaped(metadata, entry));
                CompletableFuture<Long> answer = proposed.remove(applied);
                if (answer != null && tookEffect) {
                    answer.complete((long) applied);
                } else if (answer != null) {
                    answer.completeExceptionally(new NotControllerException("void"));
                }
            }
        }

        @Override
        public CompletableFuture<Long> propose(byte[] entry) {
            if (readsAtOnce && MetadataEntry.decode(entry).records().isEmpty()) {
                return CompletableFuture.completedFuture((long) applied);
            }
            CompletableFuture<Long> answer = new CompletableFuture<>();
            int fault = !healed && random.nextInt(100) < temper.faultPercent ? random.nextInt(4) : -1;
            after(20, () -> arrive(entry, fault, answer));
            return answer;
        }

        private void arrive(byte[] entry, int fault, CompletableFuture<Long> answer) {
            if (gone) {
                return;
            }
            if (leader != id || !reachesMajority(id) || (fault >= 0 && fault <= 2)) {
                run(() -> answer.completeExceptionally(new NotControllerException("outcome unknown")));
                if (fault == 1) {
                    commit(entry);
                } else if (fault == 2) {
                    after(LATE_MS, () -> commit(entry));
                }
                return;
            }
            proposed.put(log.size() + 1, answer);
            commit(entry);
            if (fault == 3) {
                after(LATE_MS / 2, () -> commit(entry));
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
        public void forgetObserver(int node) {
            // there are none
        }

        @Override
        public QuorumState quorum() {
            return new QuorumState(new LogPosition(term, log.size() + 1L, log.size() + 1L), List.of(), List.of());
        }

        @Override
        public void close() {}
    }
}
