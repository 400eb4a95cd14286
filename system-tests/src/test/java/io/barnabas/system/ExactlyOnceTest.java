package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.system.checker.Anomaly;
import io.barnabas.system.checker.Checker;
import io.barnabas.system.checker.History;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients of every kind ({@link Workload}) while the broker is killed, frozen and cut off. {@code -Dbarnabas.checker.seconds} says how long,
 * {@code -Dseed} which faults; the report is in {@code target/exactly-once.txt}, what the broker printed beside it.
 */
class ExactlyOnceTest {
    private static final int SECONDS = Integer.getInteger("barnabas.checker.seconds", 120);

    @Test
    void under_faults_nothing_is_lost_doubled_torn_or_seen_too_early(@TempDir Path dir) throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("ExactlyOnceTest: seed " + seed);
        try (LossyProxy proxy = new LossyProxy();
                BarnabasProcess broker = BarnabasProcess.startBehind(proxy, dir.resolve("data"), Workload.SETTINGS)) {
            // Given clients of every kind
            Workload workload = new Workload(proxy.bootstrap(), seed);
            workload.createTopics(1, Map.of());
            workload.start();
            // When the broker meets its faults, half of the time under each way of transactions
            Faults faults = new Faults(broker, proxy, seed);
            try {
                long begin = System.nanoTime();
                underFaults(faults, begin + TimeUnit.SECONDS.toNanos(SECONDS / 2));
                setTransactionVersion(proxy.bootstrap(), 1);
                underFaults(faults, begin + TimeUnit.SECONDS.toNanos(SECONDS));
            } finally {
                workload.end();
                Files.createDirectories(Path.of("target"));
                Files.writeString(Path.of("target/exactly-once-broker.log"), broker.output());
            }
            // Then what they saw can have been
            History history = workload.history();
            List<Anomaly> anomalies = Checker.check(history);
            String report = "ExactlyOnceTest: seed " + seed + ", " + SECONDS + " s\nfaults: " + faults.done() + "\n"
                    + workload.report(history, anomalies);
            Files.writeString(Path.of("target/exactly-once.txt"), report);
            System.out.println(report);
            assertThat(anomalies).as(report).isEmpty();
            workload.assertProgress(history, SECONDS);
        }
    }

    private static void underFaults(Faults faults, long untilNs) throws Exception {
        while (System.nanoTime() < untilNs) {
            faults.next();
        }
    }

    private static void setTransactionVersion(String bootstrap, int version) throws Exception {
        FeatureUpdate update = new FeatureUpdate((short) version, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.updateFeatures(Map.of("transaction.version", update), new UpdateFeaturesOptions())
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }
}
