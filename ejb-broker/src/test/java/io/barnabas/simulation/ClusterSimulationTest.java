package io.barnabas.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.ejb.BrokenBroker;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A whole cluster survives what a seed brings. */
class ClusterSimulationTest {
    private static final int SEEDS = Integer.getInteger("barnabas.cluster.seeds", 500);
    private static final int SEEDS_OF_TWINS = Integer.getInteger("barnabas.cluster.twin.seeds", 200);
    private static final long FIRST_SEED = Long.getLong("barnabas.cluster.seed", 0);
    private static final Logger QUIET = Logger.getLogger("io.barnabas"); // kept, else its level is forgotten

    static {
        QUIET.setLevel(Level.OFF);
    }

    @Test
    void acknowledgedRecordsSurviveAndTheClusterBecomesWhole() {
        int acknowledged = 0;
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            ClusterSimulation simulation = run(seed, BrokenBroker.NONE);
            acknowledged += simulation.checks.acknowledged();
        }
        assertThat(acknowledged).as("something was at stake").isGreaterThan(20 * SEEDS);
    }

    @Test
    void theSameSeedIsTheSameRun() {
        assertThat(run(FIRST_SEED, BrokenBroker.NONE).traceHash())
                .isEqualTo(run(FIRST_SEED, BrokenBroker.NONE).traceHash());
    }

    @ParameterizedTest
    @EnumSource(value = BrokenBroker.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aBrokenTwinIsFoundOut(BrokenBroker twin) {
        long seed = 0;
        while (seed < SEEDS_OF_TWINS && survives(seed, twin)) {
            seed++;
        }
        assertThat(seed).as("seeds that %s survived", twin).isLessThan(SEEDS_OF_TWINS);
    }

    private static boolean survives(long seed, BrokenBroker twin) {
        try {
            run(seed, twin);
            return true;
        } catch (AssertionError found) {
            return false;
        }
    }

    private static ClusterSimulation run(long seed, BrokenBroker twin) {
        ClusterSimulation simulation = new ClusterSimulation(seed, twin);
        try {
            simulation.run();
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
        return simulation;
    }
}
