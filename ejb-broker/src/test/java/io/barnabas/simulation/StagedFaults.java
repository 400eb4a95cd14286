package io.barnabas.simulation;

import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.partition.LocalPartition;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Faults of a simulated cluster that chance alone hardly ever strings together: each leads to one moment in which a follower comes into the
 * ISR, and lets the next thing happen in it. What does not come about as planned is left as it is.
 */
final class StagedFaults {
    private static final int OUT_OF_SYNC_MS = 1_500;
    private static final int BACK_MS = 600;
    private static final int HEARD_MS = 50;

    private final ClusterSimulation simulation;
    private final SimulatedCluster cluster;

    StagedFaults(ClusterSimulation simulation) {
        this.simulation = simulation;
        this.cluster = simulation.cluster;
    }

    /** Who has which part; the controller is a third, so that it hears both. */
    private record Cast(TopicPartition partition, int leader, int follower, int controller) {}

    /**
     * A follower comes in and falls silent, for longer than it may lag, before its leader has heard that it is in: what the leader commits
     * without it must still wait for it (I8).
     */
    void comesInUnheard(TopicPartition partition) {
        Cast cast = outOfSync(partition);
        if (cast == null) {
            return;
        }
        simulation.note("stage: comes in unheard " + cast);
        cluster.broker(cast.leader).node().lag(OUT_OF_SYNC_MS);
        cluster.network.heal();
        passUntil(() -> isInSync(cast), BACK_MS);
        cut(cast);
        simulation.pass(BACK_MS);
    }

    /**
     * A follower dies when its leader has asked for it and the controller has not heard that, and is there again, with less, when it does:
     * that is not who was asked for (I7, KIP-903).
     */
    void comesInWithAnotherLife(TopicPartition partition) {
        Cast cast = outOfSync(partition);
        if (cast == null) {
            return;
        }
        simulation.note("stage: comes in with another life " + cast);
        cluster.network.delay(SimulatedBroker.host(cast.leader), SimulatedBroker.host(cast.controller), BACK_MS);
        cluster.network.heal();
        passUntil(() -> hasCommitted(cast), BACK_MS);
        simulation.pass(2);
        if (cluster.alive(cast.follower) && simulation.mayEnd(cast.follower) && simulation.mayLose(cast.follower)) {
            cluster.kill(cast.follower);
            cut(cast);
            simulation.restart(cast.follower, End.POWER_LOST);
        }
        simulation.pass(BACK_MS + 200);
    }

    /** Has a follower lag that is there. */
    private @Nullable Cast outOfSync(TopicPartition partition) {
        cluster.heal();
        int leader = cluster.committed(partition).leader();
        int controller = cluster.quorum.leader();
        for (int id = 1; id <= SimulatedCluster.BROKERS; id++) {
            if (!cluster.isPresent(id) || controller < 0 || controller == leader) {
                return null;
            }
        }
        int follower = IntStream.rangeClosed(1, SimulatedCluster.BROKERS)
                .filter(id -> id != leader && id != controller)
                .findFirst()
                .orElseThrow();
        Cast cast = new Cast(partition, leader, follower, controller);
        cut(cast);
        passUntil(() -> !isInSync(cast), OUT_OF_SYNC_MS);
        simulation.pass(HEARD_MS); // what it lacks is committed
        boolean asPlanned = leader >= 0 && cluster.committed(partition).leader() == leader && !isInSync(cast);
        return asPlanned ? cast : null;
    }

    private boolean isInSync(Cast cast) {
        return cluster.committed(cast.partition).isr().contains(cast.follower);
    }

    private boolean hasCommitted(Cast cast) {
        LocalPartition there = cluster.broker(cast.follower).partition(cast.partition);
        LocalPartition here = cluster.broker(cast.leader).partition(cast.partition);
        return there != null
                && here != null
                && there.online()
                && here.online()
                && there.log().logEndOffset() >= here.highWatermark();
    }

    private void cut(Cast cast) {
        cluster.cut(cast.leader, cast.follower, false, true);
        cluster.cut(cast.follower, cast.leader, false, true);
    }

    private void passUntil(BooleanSupplier condition, int atMostMs) {
        for (int ms = 0; ms < atMostMs && !condition.getAsBoolean(); ms += 2) {
            simulation.pass(2);
        }
    }
}
