package io.barnabas.simulation;

import io.barnabas.ejb.BrokenBroker;
import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.partition.LocalPartition;
import io.barnabas.simulation.SimulatedTransaction.Fate;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Transactions over a whole cluster, whose leaders and coordinators change by deaths, orderly stops, cuts and lost connections, and whose
 * producers are replaced in their midst: consumers that read what is committed see each transaction whole or not at all, as its producer
 * was told (I12), whoever leads; and in the end none is left open. What holds of any records is checked by {@link ClusterChecks}.
 */
final class ClusterTransactionSimulation {
    private static final int STEPS = 120;
    private static final int QUIET_MS = 60_000;

    final SimulatedCluster cluster;
    private final Random random;
    private final Trace trace = new Trace();
    private final ClusterChecks checks;
    private final ClusterFaults faults;
    private final boolean liars;
    private final int faultPercent;
    private final List<ClusterTransactor> producers = new ArrayList<>();
    private final List<SimulatedTransaction> transactions = new ArrayList<>();
    private final Map<String, SimulatedTransaction> owners = new HashMap<>(); // of values
    private final Map<TopicPartition, CommittedReader> readers = new HashMap<>();
    private final Set<String> seen = new HashSet<>();
    private int values;

    /** @param liars producers that end their transactions otherwise than they say, to see whether that is found */
    ClusterTransactionSimulation(long seed, boolean liars) {
        random = new Random(seed * 31 + 7);
        this.liars = liars;
        faultPercent = 5 + random.nextInt(30);
        cluster = new SimulatedCluster(seed, BrokenBroker.NONE);
        checks = new ClusterChecks(cluster);
        faults = new ClusterFaults(cluster, random, this::note);
        for (String id : List.of("x", "y", "z")) {
            producers.add(new ClusterTransactor(id, this, random.nextLong()));
        }
        for (TopicPartition partition : cluster.partitions) {
            if (partition.topic().equals(SimulatedCluster.TOPIC)) {
                readers.put(partition, new CommittedReader(value -> onRead(partition, value)));
            }
        }
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
            checkEnd();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(e + "\n" + trace.lastEvents(), e);
        }
    }

    /** How many transactions came to this end. */
    int count(Fate fate) {
        return (int) transactions.stream().filter(each -> each.fate == fate).count();
    }

    boolean liars() {
        return liars;
    }

    void note(String event) {
        trace.note(cluster.clock.monotonicMillis() + " " + event);
    }

    SimulatedTransaction begin(String transactionalId) {
        SimulatedTransaction begun = new SimulatedTransaction(transactionalId, transactions.size());
        transactions.add(begun);
        return begun;
    }

    String nextValue(SimulatedTransaction of) {
        String value = of.transactionalId + "-" + of.number + "-" + values++;
        owners.put(value, of);
        return value;
    }

    // ---- what befalls them

    private void act() {
        for (ClusterTransactor producer : producers) {
            producer.step(true);
            if (random.nextInt(60) == 0) {
                producer.replace();
            }
        }
        if (random.nextInt(100) < faultPercent) {
            fault(faults.anyBroker());
        }
        faults.maybeMend(this::restart);
    }

    private void fault(int broker) {
        int other = faults.anyBroker();
        switch (random.nextInt(6)) {
            case 0 -> {
                note("isolate " + broker);
                for (int each = 1; each <= SimulatedCluster.BROKERS; each++) {
                    cut(broker, each);
                    cut(each, broker);
                }
            }
            case 1 -> {
                note("cut " + broker + " to " + other);
                cut(broker, other);
            }
            case 2 -> faults.drop(broker, other);
            case 3 -> faults.delay(broker, other, random.nextInt(300));
            case 4 -> {
                if (cluster.alive(broker)) {
                    faults.stop(broker);
                }
            }
            default -> {
                if (cluster.alive(broker)) {
                    faults.kill(broker);
                }
            }
        }
    }

    private void cut(int from, int to) {
        if (from != to) {
            cluster.cut(from, to, true, true);
        }
    }

    private void restart(int broker) {
        note("restart " + broker);
        cluster.restart(broker, End.PROCESS_KILLED);
    }

    // ---- what must be so

    private void check() {
        checks.check();
        readers.forEach((partition, reader) -> {
            LocalPartition leader = leader(partition);
            if (leader != null) {
                poll(reader, leader); // one that has just come to lead may know of less than another showed
            }
        });
    }

    private @Nullable LocalPartition leader(TopicPartition partition) {
        int id = cluster.committed(partition).leader();
        LocalPartition local =
                id >= 0 && cluster.isPresent(id) ? cluster.broker(id).partition(partition) : null;
        return local != null && local.online() && local.leads() ? local : null;
    }

    private static boolean poll(CommittedReader reader, LocalPartition partition) {
        try {
            return reader.poll(partition);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void onRead(TopicPartition partition, String value) {
        SimulatedTransaction owner = owners.get(value);
        ClusterChecks.require(owner != null, value + " is nobody's");
        ClusterChecks.require(
                owner.askedToCommit && owner.fate != Fate.ABORTED,
                "in " + partition + " " + value + " is shown of " + owner);
        ClusterChecks.require(
                partition.equals(owner.values.get(value)), value + " is in " + partition + " and is of " + owner);
        ClusterChecks.require(seen.add(value), value + " is there twice");
    }

    private void settle() {
        faults.mendAll();
        String unrest = "";
        for (int ms = 0; ms < QUIET_MS && unrest != null; ms += 100) {
            for (int id = 1; id <= SimulatedCluster.BROKERS; id++) {
                if (!cluster.alive(id)) {
                    restart(id);
                }
            }
            producers.forEach(producer -> producer.step(false));
            cluster.run(100);
            check();
            unrest = unrest();
        }
        ClusterChecks.require(unrest == null, "does not come to rest: " + unrest);
    }

    private @Nullable String unrest() {
        for (ClusterTransactor producer : producers) {
            if (!producer.idle()) {
                return producer.toString();
            }
        }
        for (TopicPartition partition : readers.keySet()) {
            LocalPartition leader = leader(partition);
            if (leader == null || leader.lastStableOffset() < leader.highWatermark()) {
                return "in " + partition + " a transaction is left open";
            }
        }
        return checks.unrest();
    }

    private void checkEnd() {
        checks.checkEnd();
        Set<String> first = Set.copyOf(seen);
        for (SimulatedBroker broker : cluster.brokers.values()) {
            Set<String> there = new HashSet<>();
            readers.keySet().forEach(partition -> {
                LocalPartition replica = broker.partition(partition);
                ClusterChecks.require(replica != null, broker.id() + " lacks " + partition);
                poll(new CommittedReader(there::add), replica);
            });
            ClusterChecks.require(
                    there.equals(first), "broker " + broker.id() + " shows " + there + ", shown was " + first);
        }
        transactions.forEach(this::checkWhole);
    }

    private void checkWhole(SimulatedTransaction transaction) {
        Set<String> there = new HashSet<>(transaction.values.keySet());
        there.retainAll(seen);
        boolean whole = there.equals(transaction.values.keySet());
        switch (transaction.fate) {
            case COMMITTED -> ClusterChecks.require(whole, "lost of " + transaction + ": there is " + there);
            case ABORTED, OPEN ->
                ClusterChecks.require(there.isEmpty(), "aborted and shown: " + transaction + ": " + there);
            case UNKNOWN -> ClusterChecks.require(whole || there.isEmpty(), "torn: " + transaction + ": " + there);
        }
    }
}
