package io.barnabas.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.replication.ReplicationSimulation.Product;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Replication survives what a seed brings; its broken twins do not. */
class ReplicationSimulationTest {
    private static final int SEEDS = Integer.getInteger("barnabas.replication.seeds", 200);
    private static final int SEEDS_OF_TWINS = 400;

    @Test
    void acknowledgedRecordsSurviveAndReplicasBecomeOne() {
        int acknowledged = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            ReplicationSimulation simulation = new ReplicationSimulation(seed, Product.SHIPPED);
            try {
                simulation.run();
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
            acknowledged += simulation.acknowledgedRecords();
        }
        assertThat(acknowledged).as("something was at stake").isGreaterThan(10 * SEEDS);
    }

    @ParameterizedTest
    @EnumSource(
            value = Product.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"SHIPPED"})
    void aBrokenTwinIsFoundOut(Product twin) {
        long seed = 0;
        while (seed < SEEDS_OF_TWINS && survives(seed, twin)) {
            seed++;
        }
        assertThat(seed).as("seeds that %s survived", twin).isLessThan(SEEDS_OF_TWINS);
    }

    private static boolean survives(long seed, Product twin) {
        try {
            new ReplicationSimulation(seed, twin).run();
            return true;
        } catch (AssertionError found) {
            return false;
        }
    }
}
