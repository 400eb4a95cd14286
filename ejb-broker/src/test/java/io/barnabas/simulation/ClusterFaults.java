package io.barnabas.simulation;

import io.barnabas.ejb.SimulatedBroker;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** What any simulation of a whole cluster does to it, and notes in its trace. */
final class ClusterFaults {
    private final SimulatedCluster cluster;
    private final Random random;
    private final Consumer<String> trace;

    ClusterFaults(SimulatedCluster cluster, Random random, Consumer<String> trace) {
        this.cluster = cluster;
        this.random = random;
        this.trace = trace;
    }

    int anyBroker() {
        return 1 + random.nextInt(SimulatedCluster.BROKERS);
    }

    /** Connections between the two are lost; of one with itself: those of its clients. */
    void drop(int one, int other) {
        trace.accept("drop " + one + " " + other);
        cluster.network.drop(
                SimulatedBroker.host(one), one == other ? SimulatedCluster.CLIENTS : SimulatedBroker.host(other));
    }

    void delay(int from, int to, int ms) {
        trace.accept("delay " + from + " " + to + " " + ms);
        cluster.network.delay(SimulatedBroker.host(from), SimulatedBroker.host(to), ms);
    }

    void stop(int broker) {
        trace.accept("stop " + broker);
        cluster.stop(broker);
    }

    void kill(int broker) {
        trace.accept("kill " + broker);
        cluster.kill(broker);
    }

    /** Now and then the dead are started again, and what is cut is joined. */
    void maybeMend(IntConsumer restart) {
        for (int id = 1; id <= SimulatedCluster.BROKERS; id++) {
            if (!cluster.alive(id) && random.nextInt(12) == 0) {
                restart.accept(id);
            }
        }
        if (random.nextInt(15) == 0) {
            trace.accept("heal");
            cluster.heal();
        }
    }

    /** Everything is mended, at once. */
    void mendAll() {
        trace.accept("all heals");
        cluster.heal();
        cluster.quorum.heal();
    }
}
