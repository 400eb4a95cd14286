package io.barnabas.replication;

import io.barnabas.log.AppendOrigin;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogFixture;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.metadata.ControllerChannel;
import io.barnabas.partition.LocalPartition;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.replication.ReplicationSimulation.Product;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Three brokers and a controller on one thread and a clock that a test moves. */
final class ReplicatedCluster {
    static final int BROKERS = 3;
    static final int MIN_IN_SYNC = 2;
    static final long LAG_MAX_MS = 5_000;
    private static final long METADATA_DELAY_MS = 2;

    final ManualClock clock = new ManualClock();
    final ManualTicker ticker = new ManualTicker(clock);
    final MemoryNetwork network = new MemoryNetwork(clock, ticker);
    final ScriptedController controller = new ScriptedController(MIN_IN_SYNC, this::publish);
    final Map<Integer, ReplicaNode> nodes = new TreeMap<>();
    private final Map<Integer, SimulatedDisk> disks = new TreeMap<>();
    private final Set<Integer> cutOff = new HashSet<>(); // from the controller
    private final Map<Integer, List<List<ApiMessage>>> held = new TreeMap<>();
    private final LogConfig config;
    private final Product product;
    private final long lagTimeMaxMs;
    /** Requests of who is cut off are carried out, though it never hears of that. */
    boolean losesAnswersOnly;

    ReplicatedCluster(LogConfig config, int partitions, long seed) {
        this(config, partitions, seed, new Kind(Product.SHIPPED, LAG_MAX_MS));
    }

    /** What runs, and how long a follower may lag. */
    record Kind(Product product, long lagTimeMaxMs) {}

    ReplicatedCluster(LogConfig config, int partitions, long seed, Kind kind) {
        this.config = config;
        this.product = kind.product();
        this.lagTimeMaxMs = kind.lagTimeMaxMs();
        controller.begin(BROKERS, partitions);
        for (int id = 1; id <= BROKERS; id++) {
            disks.put(id, new SimulatedDisk(seed * BROKERS + id));
            nodes.put(id, begin(id));
        }
        run(50);
    }

    private ReplicaNode begin(int id) {
        return new ReplicaNode(
                id,
                new ReplicaNode.World(
                        clock, ticker, network, channel(id), disks.get(id), config, lagTimeMaxMs, product),
                controller.all());
    }

    private void publish(List<ApiMessage> records) {
        nodes.values().forEach(node -> ticker.after(METADATA_DELAY_MS, () -> deliver(node, records)));
    }

    private void deliver(ReplicaNode node, List<ApiMessage> records) {
        if (!node.alive()) {
            return;
        }
        if (cutOff.contains(node.id)) {
            held.computeIfAbsent(node.id, id -> new ArrayList<>()).add(records);
        } else {
            node.take(records);
        }
    }

    /** The way to the controller: a broker that is cut off learns nothing, and its requests are carried out or not. */
    private ControllerChannel channel(int id) {
        return (request, timeoutMs) -> {
            CompletableFuture<ApiMessage> answer = new CompletableFuture<>();
            ticker.after(1, () -> {
                boolean lost = cutOff.contains(id);
                if (!lost || losesAnswersOnly) {
                    ApiMessage result = controller.alter((AlterPartitionRequestData) request);
                    ticker.after(1, () -> {
                        if (!lost) {
                            answer.complete(result);
                        }
                    });
                }
                if (lost) {
                    ticker.after(timeoutMs, () -> answer.completeExceptionally(new TimeoutException("cut off")));
                }
            });
            return answer;
        };
    }

    boolean isCutOff(int id) {
        return cutOff.contains(id);
    }

    /** A topic's settings: Kafka's, but that acks=all asks for two replicas. */
    static LogConfig config(LogConfig.Durability durability) {
        LogConfig plain = LogConfig.defaults();
        return new LogConfig(
                1_000,
                plain.segmentMs(),
                plain.segmentJitterMs(),
                plain.segmentIndexBytes(),
                plain.indexIntervalBytes(),
                plain.retentionMs(),
                plain.retentionBytes(),
                plain.compact(),
                plain.delete(),
                plain.deleteRetentionMs(),
                plain.minCleanableDirtyRatio(),
                plain.minCompactionLagMs(),
                plain.maxCompactionLagMs(),
                plain.fileDeleteDelayMs(),
                plain.flushMessages(),
                plain.flushMs(),
                plain.maxMessageBytes(),
                plain.maxDecompressedMessageBytes(),
                plain.compressionType(),
                plain.gzipLevel(),
                plain.lz4Level(),
                plain.zstdLevel(),
                plain.messageTimestampType(),
                plain.messageTimestampBeforeMaxMs(),
                plain.messageTimestampAfterMaxMs(),
                MIN_IN_SYNC,
                durability);
    }

    void run(long ms) {
        ticker.advance(ms);
    }

    SimulatedDisk disk(int id) {
        return disks.get(id);
    }

    ReplicaNode node(int id) {
        return nodes.get(id);
    }

    LocalPartition leader(int index) {
        return node(controller.partition(index).leader).partition(index);
    }

    /** Appends as the leader on that node. */
    long append(int node, int index, int acks, String... values) {
        LocalPartition partition = node(node).partition(index);
        return partition
                .append(LogFixture.batch(clock.wallMillis(), values), AppendOrigin.CLIENT, (short) acks)
                .lastOffset();
    }

    /** The process dies; the controller does not know. */
    void kill(int id) {
        node(id).die();
        network.kill("host" + id);
    }

    /** It comes back, is registered, and in service after a while. */
    void restart(int id, End end) {
        held.remove(id);
        cutOff.remove(id);
        disks.get(id).restart(end);
        controller.register(id, end == End.POWER_LOST);
        nodes.put(id, begin(id));
        ticker.after(20, () -> controller.unfence(id));
    }

    /** Cuts the broker off from the others, and from the controller if told so. */
    void isolate(int id, boolean fromController) {
        for (int other = 1; other <= BROKERS; other++) {
            if (other != id) {
                network.isolate("host" + id, "host" + other);
            }
        }
        if (fromController) {
            cutOff.add(id);
        }
    }

    /** What was held comes. */
    void heal() {
        network.heal();
        cutOff.clear();
        held.forEach((id, all) -> {
            ReplicaNode node = node(id); // not a later life, which began with newer metadata
            all.forEach(records -> ticker.after(0, () -> deliver(node, records)));
        });
        held.clear();
    }
}
