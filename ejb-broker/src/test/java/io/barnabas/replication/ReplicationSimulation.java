package io.barnabas.replication;

import io.barnabas.log.LogConfig;
import io.barnabas.log.LogFixture;
import io.barnabas.log.LogSlice;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.ReadResult;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.partition.LocalPartition;
import io.barnabas.replication.ScriptedController.PartitionState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * Replication alone under what a seed brings: cuts, lost answers of the controller, deaths with and without their unforced bytes, changes
 * of leaders. After each step: what was below a high watermark anywhere is the same everywhere and for ever, a high watermark does not go
 * back within a life, and what was acknowledged is where it was acknowledged (I8 to I10). In the end all heals, and everything must be
 * one again.
 */
final class ReplicationSimulation {
    static final int PARTITIONS = 2;
    private static final int STEPS = 120;
    private static final long SESSION_MS = 400;
    private static final long QUIET_MS = 30_000;
    private static final long LAG_MAX_MS = 250;

    private final Random random;
    private final Random trims; // of its own, so that seeds stay what they were
    private final ReplicatedCluster cluster;
    private final Map<Integer, Map<Long, String>> exposed = new HashMap<>(); // by partition and offset
    private final Map<Integer, Map<Long, String>> acknowledged = new HashMap<>();
    private final Map<String, Long> checkedUpTo = new HashMap<>(); // by life and partition
    private final Map<Integer, Long> silentMs = new TreeMap<>();
    private final Deque<String> trace = new ArrayDeque<>();
    private int values;
    private int mayHaveLost = -1; // the broker whose disk may lack what was not forced

    ReplicationSimulation(long seed, Product product) {
        random = new Random(seed);
        trims = new Random(~seed);
        cluster = new ReplicatedCluster(
                ReplicatedCluster.config(seed % 4 == 3 ? LogConfig.Durability.FSYNC : LogConfig.Durability.OS),
                PARTITIONS,
                seed,
                new ReplicatedCluster.Kind(product, LAG_MAX_MS));
        for (int i = 0; i < PARTITIONS; i++) {
            exposed.put(i, new HashMap<>());
            acknowledged.put(i, new HashMap<>());
        }
    }

    /** What ships, or a twin that is broken in one way and must be found out. */
    enum Product {
        SHIPPED,
        /** Whoever becomes a follower drops what is above its high watermark (before KIP-101). */
        CUTS_TO_THE_HIGH_WATERMARK,
        /** Followers do not tell the epoch of their last record (before KIP-320). */
        TELLS_NO_EPOCH
    }

    int acknowledgedRecords() {
        return acknowledged.values().stream().mapToInt(Map::size).sum();
    }

    void run() {
        try {
            for (int step = 0; step < STEPS; step++) {
                act();
                consume(step);
                if (trims.nextInt(20) == 0) {
                    trim(trims.nextInt(PARTITIONS));
                }
                long ms = 1 + random.nextInt(random.nextInt(8) == 0 ? 400 : 30);
                cluster.run(ms);
                sessions(ms);
                check();
            }
            heal();
            checkEnd();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(e + "\n" + String.join("\n", trace), e);
        }
    }

    private void note(String what) {
        trace.addLast(cluster.clock.monotonicMillis() + " " + what);
        if (trace.size() > 60) {
            trace.removeFirst();
        }
    }

    private int anyBroker() {
        return 1 + random.nextInt(ReplicatedCluster.BROKERS);
    }

    /** Somebody waits at a follower, which its leader hears of. */
    private void consume(int step) {
        ReplicaNode node = cluster.node(1 + step % ReplicatedCluster.BROKERS);
        if (node.alive() && !node.partition(step % PARTITIONS).leads()) {
            node.partition(step % PARTITIONS).following().onReader();
        }
    }

    /** Somebody deletes what is committed. */
    private void trim(int index) {
        for (ReplicaNode node : cluster.nodes.values()) {
            if (node.alive() && node.partition(index).leads()) {
                LocalPartition leader = node.partition(index);
                long start = leader.log().logStartOffset();
                long to = start + trims.nextInt((int) (leader.highWatermark() - start) / 2 + 1);
                note("delete at " + node.id + " of " + index + " below " + to);
                leader.log().deleteRecordsBefore(to);
                leader.followers().onLogStart();
            }
        }
    }

    private void act() {
        int broker = anyBroker();
        int dice = random.nextInt(100);
        if (dice < 62) {
            produce();
        } else if (dice < 70) {
            boolean fromController = random.nextBoolean();
            cluster.losesAnswersOnly = random.nextBoolean();
            note("isolate " + broker + " fromController=" + fromController);
            cluster.isolate(broker, fromController);
        } else if (dice < 80) {
            note("heal");
            cluster.heal();
        } else if (dice < 84 && cluster.node(broker).alive()) {
            note("kill " + broker);
            cluster.kill(broker);
        } else if (dice < 92 && !cluster.node(broker).alive()) {
            restart(broker);
        } else if (dice < 96) {
            note("elect " + broker);
            cluster.controller.elect(random.nextInt(PARTITIONS), broker);
        } else {
            cluster.network.delay("host" + broker, "host" + anyBroker(), random.nextInt(15));
        }
    }

    private void restart(int broker) {
        boolean othersHaveAll = mayHaveLost < 0 || mayHaveLost == broker;
        for (int i = 0; i < PARTITIONS; i++) {
            PartitionState state = cluster.controller.partition(i);
            othersHaveAll &= state.isr.stream().anyMatch(id -> id != broker)
                    || state.elr.stream().anyMatch(id -> id != broker);
        }
        End end = othersHaveAll && random.nextBoolean() ? End.POWER_LOST : End.PROCESS_KILLED;
        if (end == End.POWER_LOST) {
            mayHaveLost = broker;
        }
        note("restart " + broker + " " + end);
        silentMs.put(broker, 0L);
        cluster.restart(broker, end);
    }

    private void produce() {
        int index = random.nextInt(PARTITIONS);
        List<LocalPartition> leaders = new ArrayList<>();
        for (ReplicaNode node : cluster.nodes.values()) {
            if (node.alive() && node.partition(index).leads()) {
                leaders.add(node.partition(index));
            }
        }
        if (leaders.isEmpty()) {
            return;
        }
        LocalPartition leader = leaders.get(random.nextInt(leaders.size()));
        String value = "v" + values++;
        int epoch = leader.leaderEpoch();
        try {
            long offset = leader.append(
                            LogFixture.batch(cluster.clock.wallMillis(), value),
                            io.barnabas.log.AppendOrigin.CLIENT,
                            (short) (random.nextInt(4) == 0 ? 1 : -1))
                    .lastOffset();
            note("append " + value + " to " + index + " at " + offset + " epoch " + epoch);
            var unused = leader.committed(offset + 1, epoch).thenRun(() -> {
                note("committed " + value);
                acknowledged.get(index).put(offset, value);
            });
        } catch (ApiException refused) {
            note("refused " + value + " " + refused.getClass().getSimpleName());
        }
    }

    /** What the controller does about brokers that it does not hear, and hears again. */
    private void sessions(long ms) {
        for (ReplicaNode node : cluster.nodes.values()) {
            boolean heard = node.alive() && !cluster.isCutOff(node.id);
            long silent = heard ? 0 : silentMs.getOrDefault(node.id, 0L) + ms;
            silentMs.put(node.id, silent);
            if (silent > SESSION_MS && cluster.controller.inService(node.id)) {
                note("fence " + node.id);
                cluster.controller.fence(node.id);
            } else if (heard && !cluster.controller.inService(node.id)) {
                cluster.controller.unfence(node.id);
            }
        }
        boolean inSync = mayHaveLost > 0;
        for (int i = 0; i < PARTITIONS && inSync; i++) {
            inSync = cluster.controller.partition(i).isr.contains(mayHaveLost);
        }
        if (inSync) {
            mayHaveLost = -1;
        }
    }

    private void check() {
        for (ReplicaNode node : cluster.nodes.values()) {
            if (node.alive()) {
                for (int i = 0; i < PARTITIONS; i++) {
                    check(node, i);
                }
            }
        }
    }

    private void check(ReplicaNode node, int index) {
        String life = System.identityHashCode(node) + "/" + index;
        LocalPartition partition = node.partition(index);
        long before = checkedUpTo.getOrDefault(life, partition.log().logStartOffset());
        long to = partition.highWatermark();
        if (to < before) {
            throw new AssertionError("the high watermark of " + node.id + " went back from " + before + " to " + to);
        }
        long from = Math.max(before, partition.log().logStartOffset());
        if (to > partition.log().logEndOffset()) {
            throw new AssertionError("the high watermark of " + node.id + " is above its log's end");
        }
        read(partition.log(), from, to).forEach((offset, value) -> {
            String shown = exposed.get(index).putIfAbsent(offset, value);
            if (shown != null && !shown.equals(value)) {
                throw new AssertionError("broker " + node.id + " shows " + value + " at " + index + "/" + offset
                        + ", where " + shown + " was; " + describe(node, index));
            }
        });
        checkedUpTo.put(life, to);
        PartitionState state = cluster.controller.partition(index);
        if (state.leader == node.id && partition.leads() && partition.leaderEpoch() == state.leaderEpoch) {
            checkAcknowledged(partition.log(), index);
            checkInSync(state, to);
        }
    }

    /** I8: nobody whom the controller takes for in sync lacks what is committed. */
    private void checkInSync(PartitionState state, long highWatermark) {
        for (int id : state.isr) {
            ReplicaNode member = cluster.node(id);
            long end = member.alive() ? member.partition(state.index).log().logEndOffset() : Long.MAX_VALUE;
            if (end < highWatermark) {
                throw new AssertionError("broker " + id + " is in sync and ends at " + end + " of " + state.index
                        + ", the high watermark is " + highWatermark);
            }
        }
    }

    private static String describe(ReplicaNode node, int index) {
        LocalPartition partition = node.partition(index);
        PartitionLog log = partition.log();
        return "\n broker " + node.id + " leads=" + partition.leads() + " " + partition.image() + " start="
                + log.logStartOffset() + " end=" + log.logEndOffset() + " high watermark=" + partition.highWatermark()
                + " latest epoch=" + log.latestEpoch() + " brokers="
                + node.metadata.image().brokers();
    }

    private void checkAcknowledged(PartitionLog log, int index) {
        long last = acknowledged.get(index).keySet().stream()
                .mapToLong(Long::longValue)
                .max()
                .orElse(-1);
        if (log.logEndOffset() <= last) {
            throw new AssertionError("the leader of " + index + " ends at " + log.logEndOffset() + " and lacks "
                    + acknowledged.get(index).get(last) + " at " + last);
        }
    }

    private static Map<Long, String> read(PartitionLog log, long from, long to) {
        Map<Long, String> found = new TreeMap<>();
        long next = from;
        try {
            while (next < to) {
                ReadResult read = log.read(next, 1 << 16, to, true, false);
                if (!(read.records() instanceof LogSlice slice)) {
                    break;
                }
                MemoryRecords records = slice.toMemory();
                slice.release();
                for (RecordBatch batch : records.batches()) {
                    for (Record record : batch) {
                        if (record.offset() >= from && record.offset() < to) {
                            byte[] bytes = new byte[record.valueSize()];
                            record.value().get(bytes);
                            found.put(record.offset(), new String(bytes, StandardCharsets.UTF_8));
                        }
                    }
                    next = batch.nextOffset();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private void heal() {
        note("all heals");
        cluster.heal();
        for (int id = 1; id <= ReplicatedCluster.BROKERS; id++) {
            if (!cluster.node(id).alive()) {
                cluster.restart(id, End.PROCESS_KILLED);
            }
            silentMs.put(id, 0L);
        }
        for (long ms = 0; ms < QUIET_MS; ms += 100) {
            cluster.run(100);
            sessions(100);
        }
        check();
    }

    private void checkEnd() {
        for (int i = 0; i < PARTITIONS; i++) {
            PartitionState state = cluster.controller.partition(i);
            if (state.leader < 0 || state.isr.size() != ReplicatedCluster.BROKERS) {
                throw new AssertionError("partition " + i + " did not recover: leader " + state.leader + " isr "
                        + state.isr + " elr " + state.elr + describe(cluster.node(1), i)
                        + describe(cluster.node(2), i) + describe(cluster.node(3), i));
            }
            Map<Long, String> expected = null;
            long start = 0;
            for (ReplicaNode node : cluster.nodes.values()) {
                start = Math.max(start, node.partition(i).log().logStartOffset());
            }
            for (ReplicaNode node : cluster.nodes.values()) {
                PartitionLog log = node.partition(i).log();
                Map<Long, String> all = read(log, start, log.logEndOffset());
                expected = expected == null ? all : expected;
                if (!all.equals(expected) || node.partition(i).highWatermark() != log.logEndOffset()) {
                    throw new AssertionError("broker " + node.id + " has of " + i + " " + all + " up to "
                            + node.partition(i).highWatermark() + ", another " + expected);
                }
                for (Map.Entry<Long, String> each : acknowledged.get(i).entrySet()) {
                    if (each.getKey() >= start && !each.getValue().equals(all.get(each.getKey()))) {
                        throw new AssertionError("broker " + node.id + " has " + all.get(each.getKey()) + " at " + i
                                + "/" + each.getKey() + " in place of " + each.getValue());
                    }
                }
            }
        }
    }
}
