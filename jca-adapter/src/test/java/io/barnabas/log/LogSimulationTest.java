package io.barnabas.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.LongFunction;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * {@link LogSimulation} over many seeds. One seed alone: {@code mvn -pl jca-adapter test -Dtest=LogSimulationTest -Dseed=N}; more of
 * them: {@code -Dseeds=N}.
 */
class LogSimulationTest {
    private static final long SEEDS = Long.getLong("seeds", 250);
    private static final Logger LOG = Logger.getLogger("io.barnabas.log");

    @BeforeAll
    static void beQuiet() {
        LOG.setLevel(Long.getLong("seed") == null ? Level.OFF : Level.ALL);
    }

    @AfterAll
    static void speakAgain() {
        LOG.setLevel(null);
    }

    @Test
    void whatWasAcknowledgedSurvivesEveryFault() {
        Long only = Long.getLong("seed");
        int crashes = 0;
        for (long seed = only == null ? 0 : only; seed < (only == null ? SEEDS : only + 1); seed++) {
            crashes += run(seed, new SimulatedDisk(seed));
        }
        assertThat(crashes).isGreaterThan(0);
    }

    @Test
    void theSameSeedDoesTheSame() {
        SimulatedDisk first = new SimulatedDisk(7);
        SimulatedDisk second = new SimulatedDisk(7);
        assertThat(run(7, first)).isEqualTo(run(7, second));
        assertThat(first.operations()).isEqualTo(second.operations());
    }

    @Test
    void aDiskThatLiesAboutForcesIsFoundOut() {
        assertFoundOut(seed -> {
            SimulatedDisk disk = new SimulatedDisk(seed);
            disk.forcesAreLies = true;
            return disk;
        });
    }

    @Test
    void aDiskThatLosesWritesIsFoundOut() {
        assertFoundOut(seed -> {
            SimulatedDisk disk = new SimulatedDisk(seed);
            disk.lostWrites = 0.02;
            return disk;
        });
    }

    private static void assertFoundOut(LongFunction<SimulatedDisk> broken) {
        int found = 0;
        for (long seed = 0; seed < 20; seed++) {
            try {
                new LogSimulation(seed, broken.apply(seed)).run();
            } catch (AssertionError expected) {
                found++;
            }
        }
        assertThat(found).isGreaterThan(5);
    }

    private static int run(long seed, SimulatedDisk disk) {
        try {
            return new LogSimulation(seed, disk).run();
        } catch (AssertionError e) {
            throw new AssertionError("-Dseed=" + seed + " " + e.getMessage(), e);
        }
    }
}
