package io.barnabas.simulation;

import io.barnabas.ejb.BrokenBroker;
import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.metadata.PartitionImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.metadata.PartitionChangeRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * A whole cluster under what a seed brings: metadata log, controller, replication and clients together, over cuts, delays, lost
 * connections, deaths with and without what was not forced, and changes of every leader. {@link ClusterChecks} says what must be so after
 * each step. In the end all heals, and everything must be one again and go on.
 */
final class ClusterSimulation {
    private static final int STEPS = 120;
    /** One fault in so many is one of {@link StagedFaults}. */
    private static final int STAGED_IN = 40;

    /** One step in so many finds damaged records somewhere. */
    private static final int DAMAGED_IN = 30;

    private static final int QUIET_MS = 30_000;

    final Random random;
    final Trace trace = new Trace();
    final SimulatedCluster cluster;
    final ClusterChecks checks;
    private final ClusterFaults faults;
    private final List<IdempotentClient> producers = new ArrayList<>();
    private final CommittingClient committing;
    private final int faultPercent;
    private final StagedFaults staged;
    private int mayHaveLost = -1; // the broker whose disk may lack what was not forced

    ClusterSimulation(long seed, BrokenBroker twin) {
        random = new Random(~seed);
        faultPercent = 5 + random.nextInt(35);
        cluster = new SimulatedCluster(seed, twin);
        checks = new ClusterChecks(cluster);
        faults = new ClusterFaults(cluster, random, this::note);
        cluster.quorum.onCommitted((index, records) -> records.forEach(record -> noteCommitted(index, record)));
        for (int i = 0; i < SimulatedCluster.PARTITIONS; i++) {
            producers.add(new IdempotentClient(i, new TopicPartition(SimulatedCluster.TOPIC, i), this));
        }
        producers.add(new IdempotentClient(9, new TopicPartition(SimulatedCluster.TOPIC, 0), this));
        committing = new CommittingClient("g", this);
        staged = new StagedFaults(this);
    }

    void run() {
        try {
            for (int step = 0; step < STEPS; step++) {
                trace.step(step);
                act();
                cluster.run(1 + random.nextInt(random.nextInt(8) == 0 ? 400 : 30));
                check();
            }
            settle();
            checks.checkEnd();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(e + "\n" + trace.lastEvents(), e);
        }
    }

    long traceHash() {
        return trace.hash();
    }

    private void check() {
        checks.check();
        if (mayHaveLost > 0
                && cluster.isPresent(mayHaveLost)
                && cluster.partitions.stream()
                        .allMatch(p -> cluster.committed(p).isr().contains(mayHaveLost))) {
            mayHaveLost = -1;
        }
    }

    void note(String event) {
        trace.note(cluster.clock.monotonicMillis() + " " + event);
    }

    private void noteCommitted(long index, ApiMessage record) {
        if (record instanceof PartitionChangeRecord change) {
            note(index + ": " + cluster.committed().topic(change.topicId()).name() + "-" + change.partitionId()
                    + " leader=" + change.leader() + " isr=" + change.isr() + " elr="
                    + change.eligibleLeaderReplicas());
        } else if (record instanceof RegisterBrokerRecord broker) {
            note(index + ": broker " + broker.brokerId() + " is registered");
        } else if (record instanceof BrokerRegistrationChangeRecord broker) {
            note(index + ": broker " + broker.brokerId() + " fenced=" + broker.fenced() + " leaves="
                    + broker.inControlledShutdown());
        }
    }

    private void produce() {
        producers.forEach(producer -> {
            if (random.nextInt(4) > 0) {
                producer.produce();
            }
        });
    }

    /** Time passes in the midst of a fault; clients go on. */
    void pass(int ms) {
        if (random.nextInt(20) < ms) {
            produce();
        }
        cluster.run(ms);
        check();
    }

    private void act() {
        produce();
        if (random.nextInt(3) == 0) {
            committing.step(true);
        }
        if (random.nextInt(100) < faultPercent) {
            fault(faults.anyBroker());
        }
        if (random.nextInt(DAMAGED_IN) == 0) {
            damage(faults.anyBroker(), cluster.partitions.get(random.nextInt(cluster.partitions.size())));
        }
        faults.maybeMend(this::restart);
    }

    private void damage(int broker, TopicPartition partition) {
        if (cluster.alive(broker)) {
            note("damage " + partition + " of " + broker);
            cluster.broker(broker).damage(partition);
        }
    }

    private void fault(int broker) {
        if (random.nextInt(STAGED_IN) == 0) {
            stage(cluster.partitions.get(random.nextInt(cluster.partitions.size())));
            return;
        }
        int dice = random.nextInt(20);
        if (dice < 4) {
            isolate(broker);
        } else if (dice < 7) {
            cut(broker, faults.anyBroker());
        } else if (dice < 12) {
            end(broker);
        } else if (dice < 14) {
            lag(broker);
        } else if (dice < 17) {
            faults.drop(broker, faults.anyBroker());
        } else {
            delay(broker, faults.anyBroker());
        }
    }

    private void stage(TopicPartition partition) {
        if (random.nextBoolean()) {
            staged.comesInUnheard(partition);
        } else {
            staged.comesInWithAnotherLife(partition);
        }
    }

    /** From all, of the metadata log, of the rest, or of both. */
    private void isolate(int broker) {
        int what = random.nextInt(4);
        note("isolate " + broker + " " + what);
        for (int other = 1; other <= SimulatedCluster.BROKERS; other++) {
            if (other != broker) {
                cluster.cut(broker, other, what != 0, what != 1);
                cluster.cut(other, broker, what != 0, what != 1);
            }
        }
        if (what == 3) {
            cluster.network.isolate(SimulatedBroker.host(broker), SimulatedCluster.CLIENTS);
        }
    }

    private void cut(int from, int to) {
        if (from != to) {
            int what = random.nextInt(3);
            note("cut " + from + " to " + to + " " + what);
            cluster.cut(from, to, what != 0, what != 1);
        }
    }

    private void delay(int from, int to) {
        int ms = random.nextInt(random.nextInt(4) == 0 ? 300 : 15);
        faults.delay(from, to, ms);
    }

    private void lag(int broker) {
        int ms = random.nextInt(1_500);
        note("lag " + broker + " " + ms);
        cluster.broker(broker).node().lag(ms);
    }

    private void end(int broker) {
        if (!cluster.alive(broker) || !mayEnd(broker)) {
            return;
        }
        if (random.nextInt(3) == 0) {
            faults.stop(broker);
        } else {
            faults.kill(broker);
        }
    }

    /**
     * One broker's disk may forget what was not forced, while the others live, and none of them may end before the controller knows: with
     * {@code min.insync.replicas} of 2 no more can be borne, as whoever dies may have forgotten something (KIP-966), and whoever leaves in
     * order leaves to those that are taken for in sync.
     */
    boolean mayEnd(int broker) {
        return mayHaveLost < 0
                || mayHaveLost == broker
                || (cluster.isPresent(mayHaveLost)
                        && cluster.partitions.stream()
                                .map(cluster::committed)
                                .allMatch(image -> image.leader() >= 0
                                        && (image.leader() != mayHaveLost
                                                || image.isr().size() > 1)));
    }

    /** Whether its disk may forget what was not forced: others that live have all of it. */
    boolean mayLose(int broker) {
        boolean othersHaveAll = mayHaveLost < 0 || mayHaveLost == broker;
        for (int id = 1; id <= SimulatedCluster.BROKERS; id++) {
            othersHaveAll &= id == broker || cluster.isPresent(id);
        }
        for (TopicPartition partition : cluster.partitions) {
            PartitionImage image = cluster.committed(partition);
            othersHaveAll &= Stream.concat(image.isr().stream(), image.elr().stream())
                    .anyMatch(id -> id != broker && cluster.isPresent(id));
        }
        return othersHaveAll;
    }

    private void restart(int broker) {
        restart(broker, mayLose(broker) && random.nextBoolean() ? End.POWER_LOST : End.PROCESS_KILLED);
    }

    void restart(int broker, End end) {
        if (end == End.POWER_LOST) {
            mayHaveLost = broker;
        }
        note("restart " + broker + " " + end);
        cluster.restart(broker, end);
    }

    /** All heals and is given time; nobody produces anything new. */
    private void settle() {
        faults.mendAll();
        String unrest = "";
        int asked = committing.answers();
        for (int ms = 0; ms < QUIET_MS && unrest != null; ms += 100) {
            for (int id = 1; id <= SimulatedCluster.BROKERS; id++) {
                if (!cluster.alive(id)) {
                    note("restart " + id);
                    cluster.restart(id, End.PROCESS_KILLED);
                }
            }
            cluster.run(100);
            check();
            committing.step(false);
            unrest = committing.answers() < asked + 2 ? committing.toString() : unrest();
        }
        ClusterChecks.require(unrest == null, "does not come to rest: " + unrest);
    }

    private @Nullable String unrest() {
        for (IdempotentClient producer : producers) {
            if (!producer.idle()) {
                return producer.toString();
            }
        }
        return checks.unrest();
    }
}
