package io.barnabas.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@link BrokerSimulation} over many seeds. One seed alone: {@code mvn -pl ejb-broker -am test -Dtest=BrokerSimulationTest -Dseed=N}
 * (with {@code -Dsurefire.failIfNoSpecifiedTests=false}); more of them: {@code -Dseeds=N}.
 */
class BrokerSimulationTest {
    private static final long SEEDS = Long.getLong("seeds", 220);
    private static final int TWIN_SEEDS = 12;
    private static final Logger LOG = Logger.getLogger("io.barnabas");

    @BeforeAll
    static void beQuiet() {
        LOG.setLevel(Long.getLong("seed") == null ? Level.OFF : Level.WARNING);
    }

    @AfterAll
    static void speakAgain() {
        LOG.setLevel(null);
    }

    @Test
    void promisesAreKeptWhateverHappens() {
        Long only = Long.getLong("seed");
        long first = only == null ? Long.getLong("firstSeed", 0) : only;
        SimulationTally all = new SimulationTally();
        for (long seed = first; seed < (only == null ? first + SEEDS : first + 1); seed++) {
            all.add(run(seed));
        }
        System.out.println("Simulated: " + all);
        if (only == null) {
            assertThat(all.restarts).isGreaterThan((int) SEEDS);
            assertThat(all.groupsCompared).isPositive();
            assertThat(all.compacted).isPositive();
            assertThat(all.moves).isGreaterThan((int) SEEDS);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 4})
    void theSameSeedHasTheSameTrace(long seed) {
        long hash = run(seed).hash;
        assertThat(run(seed).hash).isEqualTo(hash);
        assertThat(run(seed + 10).hash).isNotEqualTo(hash);
        System.out.println("Trace of seed " + seed + ": " + Long.toHexString(hash));
    }

    @Test
    void producersOfWhichOnlyTheLastBatchIsKnownAreFoundOut() {
        assertFoundOut(() -> new ForgetfulTwin(1), false);
    }

    @Test
    void producersOfWhichNothingIsKnownAreFoundOut() {
        assertFoundOut(() -> new ForgetfulTwin(0), false);
    }

    @Test
    void aCoordinatorThatAnswersBeforeItAppendsIsFoundOut() {
        assertFoundOut(HastyTwin::new, false);
    }

    @Test
    void forcesThatDoNothingAreFoundOut() {
        assertFoundOut(Product::new, true);
    }

    private static void assertFoundOut(Supplier<Product> twin, boolean forcesAreLies) {
        int found = 0;
        for (long seed = 0; seed < TWIN_SEEDS; seed++) {
            try {
                new BrokerSimulation(seed, twin.get(), forcesAreLies).run();
            } catch (AssertionError | IOException expected) {
                found++;
            }
        }
        assertThat(found).isGreaterThan(TWIN_SEEDS / 3);
    }

    private static SimulationTally run(long seed) {
        try {
            return new BrokerSimulation(seed, new Product(), false).run();
        } catch (AssertionError | IOException e) {
            throw new AssertionError("-Dseed=" + seed + " " + e.getMessage(), e);
        }
    }
}
