package io.barnabas.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.simulation.SimulatedTransaction.Fate;
import io.barnabas.simulation.TransactionNode.Twin;
import java.io.IOException;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Transactions under crashes between any two steps; {@code -Dseed=} repeats one, {@code -Dseeds=} asks for more. */
class TransactionSimulationTest {
    private static final long SEEDS = Long.getLong("seeds", 500);
    private static final Logger LOG = Logger.getLogger("io.barnabas");

    @BeforeAll
    static void beQuiet() {
        LOG.setLevel(Long.getLong("seed") == null ? Level.OFF : Level.INFO);
    }

    @AfterAll
    static void speakAgain() {
        LOG.setLevel(null);
    }

    @Test
    void transactionsAreWholeWhateverHappens() {
        Long only = Long.getLong("seed");
        long first = only == null ? Long.getLong("firstSeed", 0) : only;
        TransactionSimulation.Tally all = new TransactionSimulation.Tally();
        for (long seed = first; seed < (only == null ? first + SEEDS : first + 1); seed++) {
            try {
                all.add(new TransactionSimulation(seed, Twin.NONE).run());
            } catch (AssertionError | IOException e) {
                throw new AssertionError("-Dseed=" + seed + " " + e.getMessage(), e);
            }
        }
        System.out.println("Simulated: " + all);
        if (only == null) {
            int enough = (int) SEEDS;
            assertThat(all.restarts).isGreaterThan(enough);
            assertThat(all.fates.get(Fate.COMMITTED)).isGreaterThan(enough);
            assertThat(all.fates.get(Fate.ABORTED)).isGreaterThan(enough);
            assertThat(all.late.get(ApiKeys.PRODUCE)).isGreaterThan(enough);
            assertThat(all.late.get(ApiKeys.TXN_OFFSET_COMMIT)).isGreaterThan(enough);
            assertThat(all.reloads).isGreaterThan(enough);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Twin.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
    void aBrokerThatDoesItWrongIsFoundOut(Twin twin) {
        int found = 0;
        long seed = 0;
        while (found < 3 && seed < SEEDS) {
            try {
                new TransactionSimulation(seed++, twin).run();
            } catch (AssertionError | IOException e) {
                found++;
                System.out.println(twin + " found by seed " + (seed - 1) + ": "
                        + e.getMessage().lines().findFirst().orElse(""));
            }
        }
        assertThat(found).isEqualTo(3);
    }
}
