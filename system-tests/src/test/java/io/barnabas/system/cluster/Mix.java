package io.barnabas.system.cluster;

import io.barnabas.system.Workload;
import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.checker.Checker;
import io.barnabas.system.checker.History;
import io.barnabas.system.cluster.ReplicaFiles.Difference;
import io.barnabas.system.cluster.ReplicaLog.Extent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * One fault after another, drawn by lot from those that this cluster can meet until all have come and then from all again, while clients of
 * every kind work ({@link Workload}), beside the scene's own producer; then the checker reads what they wrote down, and the replicas of all
 * that they wrote to are compared. Used by one thread.
 */
final class Mix {
    /** How long; the seed is the scene's. */
    static final int SECONDS = Integer.getInteger("cluster.mix.seconds", 720);

    /**
     * Whether what is acknowledged is forced, if there are disks: then all nodes may lose power at once. Without it the same is played by
     * the brokers' defaults, and there is always somebody who still has the records.
     */
    private static final boolean FORCED = !"false".equals(System.getProperty("cluster.mix.forced"));

    private static final int REST_MS_MAX = 3_000;

    private final Scene scene;
    private final boolean forced;
    private final Random random = new Random(Scene.SEED);
    private final List<Fault> deck = new ArrayList<>();
    private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);

    Mix(Scene scene) {
        this.scene = scene;
        this.forced = FORCED && scene.cluster().needs().contains(Need.DISKS);
    }

    void run() throws Exception {
        Cluster cluster = scene.cluster();
        cluster.set(settings());
        Workload workload = new Workload(cluster.bootstrap(), Scene.SEED);
        workload.createTopics(cluster.nodes().size(), Map.of("min.insync.replicas", "2", "segment.ms", "5000"));
        workload.start();
        try {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            while (System.nanoTime() < until) {
                strike(next());
                Pause.of(Duration.ofMillis(random.nextInt(REST_MS_MAX)));
            }
        } finally {
            workload.end();
        }
        judge(workload);
    }

    /** Of all brokers, for the topics that they make for themselves: these are to roll, and so to be compacted, too. */
    private Map<String, String> settings() {
        Map<String, String> settings =
                new HashMap<>(forced ? scene.cluster().product().forcedEverywhere() : Map.of());
        settings.put("log.roll.ms", "5000");
        settings.put("min.insync.replicas", scene.cluster().nodes().size() > 2 ? "2" : "1");
        return settings;
    }

    private void strike(Fault fault) throws Exception {
        fault.strike(scene, done.merge(fault, 1, Integer::sum) - 1);
        scene.awaitWhole();
        if (fault == Fault.DAMAGE) {
            scene.awaitMended(topics(), "the damage");
        }
    }

    private Fault next() {
        if (deck.isEmpty()) {
            deck.addAll(lots());
            Collections.shuffle(deck, random);
        }
        return deck.remove(deck.size() - 1);
    }

    private List<Fault> lots() {
        EnumSet<Fault> all = EnumSet.allOf(Fault.class);
        all.remove(Fault.MIX);
        if (!forced) {
            all.remove(Fault.POWER_ALL);
        }
        all.removeIf(fault -> !scene.cluster().needs().containsAll(fault.needs()));
        return List.copyOf(all);
    }

    /** All that is written to, but the scene's own topic: that has a producer until the end. */
    private List<String> topics() throws Exception {
        List<String> topics = new ArrayList<>(Workload.TOPICS);
        topics.addAll(scene.cluster().internalTopics());
        topics.forEach(scene.cluster()::awaitInSync);
        return topics;
    }

    private void judge(Workload workload) throws Exception {
        History history = workload.history();
        List<Anomaly> anomalies = Checker.check(history);
        List<String> topics = topics();
        List<Difference> differences = ReplicaFiles.differences(scene.cluster(), topics, Extent.WHOLE);
        String report = "seed " + Scene.SEED + ", " + SECONDS + " s, acknowledged records are "
                + (forced ? "" : "not ") + "forced\nfaults: " + done + "\nreplicas compared of " + topics + "\n"
                + workload.report(history, anomalies);
        Path file = Files.createTempFile("mix-", ".txt");
        Files.writeString(file, report + text(differences));
        System.out.println("mix: faults " + done + ", anomalies " + anomalies.size() + ", replicas of " + topics
                + " that differ " + differences.size() + ", report " + file);
        convict(anomalies, differences, report);
        workload.assertProgress(history, SECONDS);
        if (!topics.containsAll(List.of("__consumer_offsets", "__transaction_state"))) {
            throw new AssertionError("the brokers have written nothing about groups or transactions: " + topics);
        }
    }

    /** Fails if anything is not as it should be. */
    static void convict(List<Anomaly> anomalies, List<Difference> differences, String report) {
        if (!anomalies.isEmpty() || !differences.isEmpty()) {
            throw new AssertionError("anomalies " + anomalies.size() + ", replicas that differ " + differences.size()
                    + "\n" + report + text(differences));
        }
    }

    private static String text(List<Difference> differences) {
        return differences.stream().map(each -> each + "\n").collect(Collectors.joining());
    }
}
