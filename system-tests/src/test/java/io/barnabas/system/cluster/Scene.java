package io.barnabas.system.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * One fault, n times, on a cluster under load, from a new topic to what became of its records. Used by one thread.
 *
 * @param cluster has all its nodes at the beginning, and again at the end
 * @param topic of one partition with a replica on every node
 * @param load writes to it and reads it
 */
record Scene(Cluster cluster, String topic, Load load) {
    /** Quiet time before and after a fault. */
    private static final Duration CALM = Duration.ofSeconds(2);

    /** Longer than it takes until others have noticed a death and have gone on. */
    private static final Duration DEAD = Duration.ofSeconds(1);

    private static int topics; // of this process, by the one thread

    /**
     * What came of a fault.
     *
     * @param longestGap between two acknowledgements
     */
    record Outcome(String product, Fault fault, int times, Verdict verdict, Duration longestGap) {
        static final String HEADER =
                "| broker | fault | n | acknowledged | lost | duplicated | reordered | changed | given up | longest gap |\n"
                        + "|---|---|---|---|---|---|---|---|---|---|";

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %.1f s |",
                    product,
                    fault.title(),
                    times,
                    verdict.acknowledged(),
                    verdict.lost(),
                    verdict.duplicated(),
                    verdict.reordered(),
                    verdict.changed(),
                    verdict.failed(),
                    longestGap.toMillis() / 1000.0);
        }
    }

    /** Plays a fault that many times and reads the records back. */
    static Outcome play(Cluster cluster, Fault fault, int times, int ratePerSecond) throws Exception {
        String topic = fault.name().toLowerCase(Locale.ROOT) + "-" + ++topics;
        cluster.createTopic(topic, List.of(cluster.replicasLedBy(fault.firstLeader(cluster))));
        try (Load load = new Load(cluster.bootstrap(), topic, ratePerSecond)) {
            Scene scene = new Scene(cluster, topic, load);
            load.awaitFlow(CALM);
            int before = load.times().count();
            for (int i = 0; i < times; i++) {
                fault.strike(scene);
                load.awaitFlow(CALM);
                scene.awaitWhole();
            }
            Duration gap = load.times().longestGapSince(before);
            return new Outcome(cluster.product().name(), fault, times, load.stop(), gap);
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

    private void goOnWithout(Node node) throws Exception {
        if (cluster.nodes().size() > 1) {
            load.awaitFlow(DEAD);
        }
        node.launch();
    }

    CutNetwork cutNetwork() {
        return (CutNetwork) cluster.network();
    }

    void cutBothWays(int one, int other) {
        cluster.network().cut(one, other);
        cluster.network().cut(other, one);
    }

    void cutFor(Runnable cut) {
        cut.run();
        Pause.of(Fault.LASTING);
        cluster.network().heal();
    }
}
