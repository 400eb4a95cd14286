package io.barnabas.system.cluster;

import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Locale;

/**
 * One fault, n times, on a cluster under load, from a new topic to what became of its records. Used by one thread.
 *
 * @param cluster has all its nodes at the beginning, and again at the end
 * @param topic of one partition with a replica on every node
 * @param load writes to it and reads it
 * @param damage what is done to files
 */
record Scene(Cluster cluster, String topic, Load load, Damage damage) {
    /** Quiet time before and after a fault. */
    private static final Duration CALM = Duration.ofSeconds(2);

    /** Longer than it takes until others have noticed a death and have gone on. */
    private static final Duration DEAD = Duration.ofSeconds(1);

    /** As long as it takes a node to find back without help after its disk has room again, or it may open files. */
    private static final Duration ALONE = Duration.ofSeconds(40);

    /** As long as it takes a node to start, or to say that it cannot. */
    private static final Duration DAMAGED = Duration.ofSeconds(90);

    /** As long as it takes a node to find out what is damaged, and to have it again. */
    private static final Duration MENDED = Duration.ofSeconds(120);

    /** Of all that is random. */
    static final long SEED = Long.getLong("cluster.seed", System.nanoTime());

    /** Sooner than a connection that stood while the network was cut. */
    private static final Duration SOON = Duration.ofSeconds(10);

    private static int topics; // of this process, by the one thread

    /**
     * What came of a fault.
     *
     * @param differing replicas that have other bytes than the first at the end
     * @param longestGap between two acknowledgements
     */
    record Outcome(String product, Fault fault, int times, Verdict verdict, int differing, Duration longestGap) {
        static final String HEADER =
                "| broker | fault | n | acknowledged | lost | duplicated | reordered | changed | given up | replicas differ | longest gap |\n"
                        + "|---|---|---|---|---|---|---|---|---|---|---|";

        /** Whether nothing was lost and so on, and all replicas are the same. */
        boolean flawless() {
            return verdict.flawless() && differing == 0;
        }

        /** Whether records were acknowledged again as soon as the fault's bound asks. */
        boolean inTime() {
            return fault.bound().map(bound -> longestGap.compareTo(bound) <= 0).orElse(true);
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %.1f s |",
                    product,
                    fault.title(),
                    times,
                    verdict.acknowledged(),
                    verdict.lost(),
                    verdict.duplicated(),
                    verdict.reordered(),
                    verdict.changed(),
                    verdict.failed(),
                    differing,
                    longestGap.toMillis() / 1000.0);
        }
    }

    /** Plays a fault that many times and reads the records back. */
    static Outcome play(Cluster cluster, Fault fault, int times, int ratePerSecond) throws Exception {
        String topic = fault.name().toLowerCase(Locale.ROOT) + "-" + ++topics;
        cluster.createTopic(
                topic, List.of(cluster.replicasLedBy(fault.firstLeader(cluster))), fault.topic(cluster.product()));
        try (Load load = new Load(cluster.bootstrap(), topic, ratePerSecond)) {
            Scene scene = new Scene(cluster, topic, load, new Damage(SEED));
            load.awaitFlow(CALM);
            int before = load.times().count();
            for (int i = 0; i < times; i++) {
                fault.strike(scene, i);
                load.awaitFlow(CALM);
                scene.awaitWhole();
            }
            Duration gap = load.times().longestGapSince(before);
            System.out.println("the longest gap ended at "
                    + LocalTime.now().minus(load.times().sinceLongestGap(before)));
            Verdict verdict = load.stop();
            List<ReplicaFiles.Difference> differences =
                    ReplicaFiles.differences(cluster, List.of(topic), ReplicaLog.Extent.WHOLE);
            differences.forEach(System.out::println);
            return new Outcome(cluster.product().name(), fault, times, verdict, differences.size(), gap);
        }
    }

    /** Waits until every node is a member again and all replicas are in sync. */
    void awaitWhole() {
        cluster.awaitMembers(cluster.nodes().size(), Duration.ofSeconds(120));
        cluster.awaitInSync(topic);
    }

    Node leader() {
        return cluster.leader(topic);
    }

    Node follower() {
        int leader = leader().id();
        return cluster.node(leader % cluster.nodes().size() + 1);
    }

    List<Integer> others(int node) {
        return cluster.nodes().stream().map(Node::id).filter(id -> id != node).toList();
    }

    void killAndRestart(Node node) throws Exception {
        node.kill();
        goOnWithout(node);
    }

    void stopAndRestart(Node node) throws Exception {
        node.stop();
        goOnWithout(node);
    }

    void goOnWithout(Node node) throws Exception {
        if (cluster.nodes().size() > 1) {
            awaitFlow();
        }
        node.launch();
    }

    /** Lets a fault last, which is not over before the others have gone on without its victim. */
    void last() {
        Pause.of(Fault.LASTING);
        if (cluster.nodes().size() > 1) {
            awaitFlow();
        }
    }

    void awaitFlow() {
        load.awaitFlow(DEAD);
    }

    /** The node that has the first replica, made the leader. */
    Node firstReplica() {
        cluster.electPreferred(topic);
        return leader();
    }

    /** Starts a node again that has ended of its own, or that does not find back alone. */
    void heal(Node node) throws Exception {
        if (!node.alive()) {
            node.launch();
        } else if (!cluster.comesBack(node, topic, ALONE)) {
            System.out.println(node + " does not come back by itself");
            node.kill();
            node.launch();
        }
    }

    /** Something to be done to a node. */
    interface Step {
        void run() throws Exception;
    }

    /**
     * Something breaks at a node and lasts, and is then seen to as an operator does: ends the process if it has not ended, mends, starts
     * again.
     */
    void breakAndMend(Node node, Step breaks, Step mends) throws Exception {
        breaks.run();
        last();
        node.kill();
        mends.run();
        node.launch();
    }

    /** All of them lose it at once, between two instructions. */
    void losePower(List<Node> nodes) throws Exception {
        for (Node node : nodes) {
            node.freeze();
        }
        for (Node node : nodes) {
            node.disk().losePower();
        }
        for (Node node : nodes) {
            node.kill();
            node.disk().repair();
        }
    }

    /** The leader's clock steps, and is still wrong when the node starts again and leads again; then it steps back. */
    void withClock(Duration ahead) throws Exception {
        Node node = firstReplica();
        node.unreliable().stepClock(ahead);
        Pause.of(Fault.LASTING.dividedBy(2));
        killAndRestart(node);
        awaitWhole();
        cluster.electPreferred(topic);
        Pause.of(Fault.LASTING.dividedBy(2));
        node.unreliable().stepClock(Duration.ZERO);
        awaitFlow();
    }

    /**
     * Damages a file of the first leader between its end, an orderly one or not, and its next start. A node that does not start with it has
     * its disk replaced; any other has everything again unattended, whatever it showed at first.
     */
    void damage(int turn) throws Exception {
        Node node = firstReplica();
        boolean orderly = (turn / 2 + turn) % 2 == 1; // each kind of damage after either end, in two rounds
        if (orderly) {
            node.stop();
        } else {
            node.kill();
        }
        awaitFlow();
        String what = (orderly ? "stopped, " : "killed, ") + damage.next(node);
        node.launch();
        if (!cluster.comesBack(node, topic, DAMAGED)) {
            System.out.println(what + ": does not start: " + (node.alive() ? "waits" : lastWords(node)));
            replaceDisk(node);
        }
        awaitWhole();
        cluster.electPreferred(topic);
        awaitFlow();
        System.out.println(what + ": serves");
        awaitMended(List.of(topic), what);
    }

    /** Whoever had damaged records has found that out and has them again from the others. */
    void awaitMended(List<String> topics, String damage) throws Exception {
        long began = System.nanoTime();
        List<ReplicaFiles.Difference> differences = ReplicaFiles.differences(cluster, topics, ReplicaLog.Extent.COMMON);
        while (!differences.isEmpty()) {
            if (!cluster.product().mends()) {
                replaceDisk(firstReplica());
                return;
            }
            if (System.nanoTime() - began > MENDED.toNanos()) {
                throw new AssertionError("still damaged after " + damage + ": " + differences);
            }
            differences = ReplicaFiles.differences(cluster, topics, ReplicaLog.Extent.COMMON);
        }
        topics.forEach(cluster::awaitInSync);
        if (topics.contains(topic) && !load.isReadable()) {
            throw new AssertionError("readers refuse what is shown after " + damage);
        }
        System.out.println(damage + ": whole after "
                + Duration.ofNanos(System.nanoTime() - began).toMillis() + " ms");
    }

    private static String lastWords(Node node) {
        return node.outputOfThisStart()
                .lines()
                .filter(line -> line.startsWith("barnabas: ") || line.contains("ERROR"))
                .findFirst()
                .orElse("nothing");
    }

    /** The node's data is gone; it starts with none, has all again, and its vote. */
    void replaceDisk(Node node) throws Exception {
        node.kill();
        node.loseData();
        cluster.product().formatAgain(node.place());
        node.launch();
        awaitWhole();
        cluster.restoreVote(node);
    }

    CutNetwork cutNetwork() {
        return (CutNetwork) cluster.network();
    }

    void cutBothWays(int one, int other) {
        cluster.network().cut(one, other);
        cluster.network().cut(other, one);
    }

    /** The network is whole again, and soon after it records flow and all replicas are in sync, whatever TCP waits for. */
    void healSoon() {
        long healed = System.nanoTime();
        cluster.network().heal();
        awaitFlow();
        awaitWhole();
        Duration took = Duration.ofNanos(System.nanoTime() - healed);
        System.out.println("whole after the cut: " + took.toMillis() + " ms");
        if (took.compareTo(SOON) > 0) {
            throw new IllegalStateException("whole only " + took + " after the cut");
        }
    }

    void cutFor(Runnable cut) {
        cut.run();
        last();
        cluster.network().heal();
    }
}
