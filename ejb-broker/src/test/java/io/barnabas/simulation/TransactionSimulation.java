package io.barnabas.simulation;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.log.AppendOrigin;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.simulation.SimulatedTransaction.Fate;
import io.barnabas.time.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;

/**
 * Transactional producers of both kinds, with instances that outlive their successors, against a broker whose process is killed or loses
 * power at any operation of a file, and whose coordinators load their shards again at any time; messages are lost, come twice, or come
 * after those that were sent later. One thread, all by a seed. {@link TransactionChecks} says what must be so.
 */
final class TransactionSimulation {
    private static final int STEPS = 250;
    private static final int ROUNDS = 400;
    private static final List<String> IDS = List.of("w", "x", "y", "z");
    private static final int EXPIRATION_MS = 60_000;
    /** A message that is older is lost: producers that wrote nothing for {@link #EXPIRATION_MS} are forgotten. */
    private static final int LATE_MS_MAX = 30_000;

    private final Random random;
    private final SimulatedDisk disk;
    private final ManualClock clock = new ManualClock();
    private final Trace trace = new Trace();
    private final boolean fsync;
    private final TransactionNode.World world;
    private final List<TransactionalClient> clients = new ArrayList<>();
    private final TransactionChecks checks = new TransactionChecks();
    private final List<Late> late = new ArrayList<>();
    final Tally tally = new Tally();
    private TransactionNode node;
    private short level;
    private int life;
    private int leaderEpoch;
    private long producerIds = 100;
    private long values;

    /** A message that is on its way for long. */
    private record Late(ApiKeys api, long sinceMs, Consumer<TransactionNode> message) {}

    /** What a run has seen, so that a test can tell that it saw anything. */
    static final class Tally {
        int restarts;
        int reloads;
        final Map<Fate, Integer> fates = new EnumMap<>(Fate.class);
        final Map<String, Integer> refusals = new TreeMap<>();
        final Map<ApiKeys, Integer> late = new EnumMap<>(ApiKeys.class);

        void add(Tally other) {
            restarts += other.restarts;
            reloads += other.reloads;
            other.fates.forEach((fate, count) -> fates.merge(fate, count, Integer::sum));
            other.refusals.forEach((error, count) -> refusals.merge(error, count, Integer::sum));
            other.late.forEach((api, count) -> late.merge(api, count, Integer::sum));
        }

        @Override
        public String toString() {
            return "restarts " + restarts + ", reloads " + reloads + ", transactions " + fates + ", refused " + refusals
                    + ", late " + late;
        }
    }

    TransactionSimulation(long seed, TransactionNode.Twin twin) throws IOException {
        random = new Random(seed);
        disk = new SimulatedDisk(seed);
        fsync = random.nextBoolean();
        LogManagerSettings logs = new LogManagerSettings(
                List.of(Path.of("/data")),
                Set.of(),
                1,
                "cluster",
                LogConfig.defaults(),
                5_000,
                true,
                1,
                2_000,
                1 << 16,
                86_400_000,
                random.nextBoolean() ? EXPIRATION_MS : 86_400_000,
                10_000,
                1,
                2_000,
                2_000,
                Long.MAX_VALUE);
        Map<String, LogConfig> topics = Map.of(
                TransactionNode.TOPIC, config(false),
                Topic.GROUP_METADATA_TOPIC_NAME, config(true),
                Topic.TRANSACTION_STATE_TOPIC_NAME, config(true));
        level = (short) (random.nextInt(4) == 0 ? 0 : 2);
        world = new TransactionNode.World(disk, clock, logs, topics, () -> producerIds++, () -> level, twin);
        node = new TransactionNode(world, leaderEpoch);
        if (random.nextInt(4) == 0) {
            useUpEpochs(IDS.get(0));
        }
        drain();
    }

    private LogConfig config(boolean compact) {
        LogSettings settings = new LogSettings(random, fsync);
        settings.segmentBytes = 1_000 + random.nextInt(4_000);
        settings.compact = compact;
        return settings.build();
    }

    /** A producer that has done a great many transactions. */
    private void useUpEpochs(String transactionalId) {
        TransactionLogValue value = new TransactionLogValue()
                .setProducerId(producerIds++)
                .setProducerEpoch((short) (Short.MAX_VALUE - 1 - random.nextInt(6)))
                .setTransactionTimeoutMs(20_000)
                .setTransactionStatus((byte) 4)
                .setTransactionLastUpdateTimestampMs(now());
        byte[] key = MessageUtil.toVersionPrefixedBytes(
                (short) 0, new TransactionLogKey().setTransactionalId(transactionalId));
        int shard = node.transactions.partitionFor(transactionalId);
        node.leader(new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, shard))
                .append(
                        MemoryRecords.withRecords(
                                Compression.NONE,
                                new SimpleRecord(now(), key, MessageUtil.toVersionPrefixedBytes((short) 0, value))),
                        AppendOrigin.COORDINATOR,
                        (short) -1);
    }

    // ---- what clients see

    TransactionNode node() {
        return node;
    }

    int life() {
        return life;
    }

    long now() {
        return clock.wallMillis();
    }

    boolean losesMessage() {
        return random.nextInt(20) == 0;
    }

    /** Whether the network holds a message for long. */
    boolean isSlow() {
        return random.nextInt(12) == 0;
    }

    void deliverLater(ApiKeys api, Consumer<TransactionNode> message) {
        late.add(new Late(api, now(), message));
    }

    String nextValue(SimulatedTransaction of) {
        String value = "v" + ++values;
        checks.onWrite(of, value);
        return value;
    }

    void note(String event) {
        trace.note(event);
    }

    void onRefused(ApiKeys api, Errors error) {
        tally.refusals.merge(error + " of " + api, 1, Integer::sum);
    }

    void onInitialised(String transactionalId, ProducerIdentity producer) {
        note(transactionalId + " is " + producer);
        checks.onInitialised(transactionalId, producer, node);
    }

    SimulatedTransaction begin(String transactionalId) {
        return checks.begin(transactionalId);
    }

    // ---- the run

    Tally run() {
        try {
            for (int step = 0; step < STEPS; step++) {
                trace.step(step);
                step();
            }
            settle();
            checks.atEnd(node);
            restart(fsync ? End.POWER_LOST : End.PROCESS_KILLED);
            drain();
            checks.atEnd(node);
        } catch (AssertionError | IOException | RuntimeException | SimulatedDisk.Crash e) {
            throw new AssertionError("step " + trace.step() + ": " + e + "\n" + trace.lastEvents(), e);
        }
        checks.transactions().forEach(one -> tally.fates.merge(one.fate, 1, Integer::sum));
        return tally;
    }

    private void step() throws IOException {
        if (random.nextInt(14) == 0) {
            disk.crashAfter(1 + random.nextInt(40));
        }
        try {
            act();
            for (int i = random.nextInt(8); i > 0; i--) {
                node.threads.runOne(random);
            }
        } catch (SimulatedDisk.Crash e) {
            // seen by the disk's state
        }
        if (disk.crashed()) {
            restart(fsync && random.nextBoolean() ? End.POWER_LOST : End.PROCESS_KILLED);
        } else if (random.nextInt(4) == 0) {
            checks.poll(node);
        }
    }

    private void act() {
        clients.removeIf(client -> client.dead);
        int dice = random.nextInt(100);
        if (clients.size() < 3 || dice < 3) {
            String id = IDS.get(random.nextInt(IDS.size())); // one with the same id may still be at work
            clients.add(new TransactionalClient(id, level == 2 && random.nextInt(3) > 0, this, random));
        } else if (dice < 5) {
            clients.get(random.nextInt(clients.size())).kill();
        } else if (dice < 6) {
            reload();
        } else if (dice < 20 && !late.isEmpty()) {
            deliver(late.remove(random.nextInt(late.size())));
        } else if (dice < 82) {
            for (int i = random.nextInt(6); i >= 0 && !disk.crashed(); i--) {
                clients.get(random.nextInt(clients.size())).step(true);
            }
        } else {
            node.ticker.advance(random.nextInt(20) == 0 ? 25_000 : random.nextInt(600));
        }
        if (random.nextInt(100) == 0) {
            level = 2; // an upgrade; there is no way back
        }
    }

    private void reload() {
        note("reload");
        tally.reloads++;
        node.reload(random.nextInt(TransactionNode.COORDINATORS));
    }

    private void deliver(Late one) {
        if (now() - one.sinceMs < LATE_MS_MAX) {
            note("late " + one.api);
            tally.late.merge(one.api, 1, Integer::sum);
            one.message.accept(node);
        }
    }

    private void restart(End end) throws IOException {
        note("ends " + end);
        do {
            life++;
            leaderEpoch += random.nextInt(2);
            tally.restarts++;
            disk.restart(end);
            if (random.nextInt(4) == 0) {
                disk.crashAfter(1 + random.nextInt(80));
            }
            try {
                node = new TransactionNode(world, leaderEpoch);
                drain();
                node.loaded();
            } catch (SimulatedDisk.Crash e) {
                // seen by the disk's state
            }
        } while (disk.crashed());
        disk.neverCrash();
    }

    private void drain() {
        while (node.threads.runOne(random)) {
            continue;
        }
    }

    /** Nobody begins anything; what is open is ended by its producer or by the coordinator. */
    private void settle() throws IOException {
        disk.neverCrash();
        late.forEach(this::deliver);
        drain();
        for (int round = 0; round < ROUNDS && !rests(); round++) {
            clients.forEach(client -> client.step(false));
            drain();
            node.ticker.advance(200);
            drain();
        }
        checks.poll(node);
        clients.forEach(client -> TransactionChecks.require(
                client.idle(), "a producer does not come to rest: " + client.transactionalId));
    }

    private boolean rests() {
        return clients.stream().allMatch(TransactionalClient::idle) && TransactionChecks.noneIsOpen(node);
    }
}
