package io.barnabas.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.simulation.SimulatedTransaction.Fate;
import java.util.EnumMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** Transactions survive what a seed brings over a whole cluster. */
class ClusterTransactionSimulationTest {
    private static final int SEEDS = Integer.getInteger("barnabas.cluster.seeds", 500);
    private static final long FIRST_SEED = Long.getLong("barnabas.cluster.seed", 0);
    private static final Logger QUIET = Logger.getLogger("io.barnabas"); // kept, else its level is forgotten

    static {
        QUIET.setLevel(Level.OFF);
    }

    @Test
    void transactionsAreWholeWhoeverLeadsAndCoordinatesAndNoneIsLeftOpen() {
        Map<Fate, Integer> fates = new EnumMap<>(Fate.class);
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            ClusterTransactionSimulation simulation = run(seed, false);
            for (Fate fate : Fate.values()) {
                fates.merge(fate, simulation.count(fate), Integer::sum);
            }
        }
        assertThat(fates.get(Fate.COMMITTED)).as("%s", fates).isGreaterThan(10 * SEEDS);
        assertThat(fates.get(Fate.ABORTED)).as("%s", fates).isGreaterThan(5 * SEEDS);
    }

    @Test
    void aProducerThatEndsItsTransactionsOtherwiseThanItSaysIsFoundOut() {
        assertThatThrownBy(() -> run(FIRST_SEED, true)).hasStackTraceContaining("is shown of");
    }

    private static ClusterTransactionSimulation run(long seed, boolean liars) {
        ClusterTransactionSimulation simulation = new ClusterTransactionSimulation(seed, liars);
        try {
            simulation.run();
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
        return simulation;
    }
}
