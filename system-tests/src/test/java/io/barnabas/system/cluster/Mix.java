package io.barnabas.system.cluster;

import io.barnabas.system.Workload;
import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.checker.Checker;
import io.barnabas.system.checker.History;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One fault after another, each drawn by lot from those that this cluster can meet, while clients of every kind work ({@link Workload}),
 * beside the scene's own producer; then the checker reads what they wrote down. Used by one thread.
 */
final class Mix {
    /** How long; the seed is the scene's. */
    static final int SECONDS = Integer.getInteger("cluster.mix.seconds", 720);

    private static final int REST_MS_MAX = 3_000;

    private final Scene scene;
    private final Random random = new Random(Scene.SEED);
    private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);

    Mix(Scene scene) {
        this.scene = scene;
    }

    void run() throws Exception {
        Cluster cluster = scene.cluster();
        Workload workload = new Workload(cluster.bootstrap(), Scene.SEED);
        workload.createTopics(cluster.nodes().size(), Map.of("min.insync.replicas", "2", "segment.ms", "5000"));
        List<Fault> lots = lots(cluster.needs());
        workload.start();
        try {
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            while (System.nanoTime() < until) {
                Fault fault = lots.get(random.nextInt(lots.size()));
                int turn = done.merge(fault, 1, Integer::sum) - 1;
                // What lies damaged after an orderly end is not looked for before somebody reads it.
                fault.strike(scene, fault == Fault.DAMAGE ? 0 : turn);
                scene.awaitWhole();
                Pause.of(Duration.ofMillis(random.nextInt(REST_MS_MAX)));
            }
        } finally {
            workload.end();
        }
        judge(workload);
    }

    /** All but what only makes sense on a topic of its own. */
    private static List<Fault> lots(Set<Need> had) {
        EnumSet<Fault> all = EnumSet.allOf(Fault.class);
        all.removeAll(EnumSet.of(Fault.MIX, Fault.POWER_ALL));
        all.removeIf(fault -> !had.containsAll(fault.needs()));
        return List.copyOf(all);
    }

    private void judge(Workload workload) throws Exception {
        History history = workload.history();
        List<Anomaly> anomalies = Checker.check(history);
        String report = "seed " + Scene.SEED + ", " + SECONDS + " s\nfaults: " + done + "\n"
                + workload.report(history, anomalies);
        Path file = Files.createTempFile("mix-", ".txt");
        Files.writeString(file, report);
        System.out.println("mix: faults " + done + ", anomalies " + anomalies.size() + ", report " + file);
        if (!anomalies.isEmpty()) {
            throw new AssertionError(report);
        }
        workload.assertProgress(history, SECONDS);
    }
}
