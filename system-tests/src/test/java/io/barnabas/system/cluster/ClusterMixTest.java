package io.barnabas.system.cluster;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link Mix}, with all that the machine allows: for the twelve minutes of {@code cluster.mix.seconds}, if {@code cluster.tests} are asked for. */
class ClusterMixTest {
    /** Before the first fault, for the one that is under way at the end, for clients to end, and for reading everything. */
    private static final Duration AROUND = Duration.ofMinutes(12);

    @TempDir
    static Path dir;

    @Test
    void a_random_mix_of_all_faults_shows_no_anomaly_and_leaves_no_replica_different() throws Exception {
        assumeTrue(
                Boolean.getBoolean("cluster.tests"),
                "takes a quarter of an hour: ask for it with -Dcluster.tests=true");

        FaultTableRun.play(dir, List.of(Fault.MIX), AROUND.plusSeconds(Mix.SECONDS));
    }
}
