package io.barnabas.simulation;

import io.barnabas.ejb.BrokenBroker;
import io.barnabas.ejb.SimulatedBroker;
import io.barnabas.ejb.SimulatedLife;
import io.barnabas.log.LogConfig;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.log.SimulatedDisk.End;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.MetadataNodeSettings;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.PartitionRules;
import io.barnabas.metadata.SimulatedQuorum;
import io.barnabas.port.MemoryNetwork;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Brokers, the metadata log that they keep together, the network between them and their disks: everything on one thread and a clock that
 * a test moves, and all chance from one seed. What it offers are the faults.
 */
final class SimulatedCluster implements SimulatedQuorum.Reach {
    static final int BROKERS = 3;
    static final int MIN_IN_SYNC = 2;
    static final String TOPIC = "t";
    static final int PARTITIONS = 2;
    /** Where clients are. */
    static final String CLIENTS = "clients";

    private static final long BOOT_MS = 20_000;
    private static final Map<String, String> SETTINGS = Map.ofEntries(
            Map.entry("controller.quorum.voters", "1@host1:5,2@host2:5,3@host3:5"),
            Map.entry("broker.heartbeat.interval.ms", "150"),
            Map.entry("broker.session.timeout.ms", "900"),
            Map.entry("replica.lag.time.max.ms", "400"),
            Map.entry("replica.fetch.wait.max.ms", "200"),
            Map.entry("replica.fetch.backoff.ms", "100"),
            Map.entry("replica.socket.timeout.ms", "1000"),
            Map.entry("request.timeout.ms", "1000"),
            Map.entry("leader.imbalance.check.interval.seconds", "2"),
            Map.entry("log.cleaner.dedupe.buffer.size", "2000000"));

    final ManualClock clock = new ManualClock();
    final ManualTicker ticker = new ManualTicker(clock);
    final MemoryNetwork network = new MemoryNetwork(clock, ticker);
    final SimulatedQuorum quorum;
    final Map<Integer, SimulatedBroker> brokers = new TreeMap<>();
    final List<TopicPartition> partitions = new ArrayList<>();
    private final Random random;
    private final Map<Integer, SimulatedDisk> disks = new TreeMap<>();
    private final Set<Link> quorumCuts = new HashSet<>();
    private final SimulatedBroker.World world;

    private record Link(String from, String to) {}

    SimulatedCluster(long seed, BrokenBroker twin) {
        random = new Random(seed);
        boolean fsync = random.nextInt(4) == 0;
        quorum = new SimulatedQuorum(random, ticker, new SimulatedQuorum.Temper(10_000, 300, 80, 8, 3, true), this);
        Map<String, LogConfig> topics = new HashMap<>();
        List<String> names = List.of(TOPIC, Topic.GROUP_METADATA_TOPIC_NAME, Topic.TRANSACTION_STATE_TOPIC_NAME);
        names.forEach(name -> topics.put(name, config(fsync, !name.equals(TOPIC), twin)));
        world = new SimulatedBroker.World(clock, network, random, SETTINGS, topics, twin);
        quorum.decide(List.of(
                feature(MetadataNodeSettings.METADATA_VERSION, MetadataNodeSettings.METADATA_VERSION_LEVEL),
                feature(FeatureControl.GROUP_VERSION, FeatureControl.GROUP_VERSION_LEVEL),
                feature(FeatureControl.TRANSACTION_VERSION, FeatureControl.TRANSACTION_VERSION_LEVEL),
                feature(PartitionRules.ELIGIBLE_LEADERS, (short) 1)));
        for (int id = 1; id <= BROKERS; id++) {
            disks.put(id, new SimulatedDisk(seed * BROKERS + id));
            begin(id);
        }
        quorum.start();
        await(() -> committed().brokers().size() == BROKERS
                && committed().brokers().stream().noneMatch(broker -> broker.fenced()));
        names.forEach(name -> quorum.decide(topic(name, name.equals(TOPIC) ? PARTITIONS : 1)));
        run(200);
    }

    private LogConfig config(boolean fsync, boolean compact, BrokenBroker twin) {
        LogSettings settings = new LogSettings(random, fsync);
        settings.segmentBytes = 1_000 + random.nextInt(4_000);
        settings.compact = compact;
        settings.minInsyncReplicas = twin.minInSync(MIN_IN_SYNC);
        return settings.build();
    }

    private static ApiMessage feature(String name, short level) {
        return new FeatureLevelRecord().setName(name).setFeatureLevel(level);
    }

    private List<ApiMessage> topic(String name, int count) {
        Uuid id = new Uuid(7, name.hashCode());
        List<ApiMessage> records = new ArrayList<>();
        records.add(new TopicRecord().setName(name).setTopicId(id));
        records.add(new ConfigRecord()
                .setResourceType(ConfigResource.Type.TOPIC.id())
                .setResourceName(name)
                .setName("min.insync.replicas")
                .setValue(Integer.toString(MIN_IN_SYNC)));
        for (int i = 0; i < count; i++) {
            List<Integer> replicas = new ArrayList<>();
            for (int k = 0; k < BROKERS; k++) {
                replicas.add(1 + (partitions.size() + k) % BROKERS);
            }
            records.add(new PartitionRecord()
                    .setTopicId(id)
                    .setPartitionId(i)
                    .setReplicas(replicas)
                    .setIsr(replicas)
                    .setLeader(replicas.get(0))
                    .setLeaderEpoch(0)
                    .setPartitionEpoch(0));
            partitions.add(new TopicPartition(name, i));
        }
        return records;
    }

    private void begin(int id) {
        SimulatedDisk disk = disks.get(id);
        SimulatedLife life = new SimulatedLife(disk, ticker, random, () -> network.kill(SimulatedBroker.host(id)));
        SimulatedQuorum.Node node = quorum.join(id, life::run);
        life.run(() -> brokers.put(id, new SimulatedBroker(id, world, disk, life, node)));
    }

    private void await(BooleanSupplier condition) {
        for (long ms = 0; !condition.getAsBoolean(); ms += 50) {
            if (ms > BOOT_MS) {
                throw new AssertionError("the cluster does not start");
            }
            run(50);
        }
    }

    void run(long ms) {
        ticker.advance(ms);
    }

    /** What is committed, whoever knows of it. */
    MetadataImage committed() {
        return quorum.committed();
    }

    PartitionImage committed(TopicPartition partition) {
        PartitionImage image = committed().partition(partition.topic(), partition.partition());
        if (image == null) {
            throw new AssertionError("no partition " + partition);
        }
        return image;
    }

    SimulatedBroker broker(int id) {
        return brokers.get(id);
    }

    boolean alive(int id) {
        SimulatedBroker broker = brokers.get(id);
        return broker != null && broker.alive();
    }

    /** Whether the broker's process is the one that the committed metadata mean. */
    boolean isPresent(int id) {
        return alive(id)
                && committed()
                        .broker(id)
                        .filter(image -> image.epoch() == broker(id).epoch())
                        .isPresent();
    }

    // ---- faults

    @Override
    public boolean hears(int node, int from) {
        return alive(node) && alive(from) && !quorumCuts.contains(link(from, node));
    }

    private static Link link(int from, int to) {
        return new Link(SimulatedBroker.host(from), SimulatedBroker.host(to));
    }

    /** The process ends without a word. */
    void kill(int id) {
        broker(id).life().end();
    }

    /** The process ends in order, once the controller lets it. */
    void stop(int id) {
        SimulatedBroker broker = broker(id);
        broker.life().run(() -> {
            var unused = broker.leave()
                    .thenRun(() -> ticker.after(0, () -> {
                        broker.life().run(broker::close);
                        if (broker.alive()) {
                            broker.life().end();
                        }
                    }));
        });
    }

    /** Another life of it begins. */
    void restart(int id, End end) {
        disks.get(id).restart(end);
        begin(id);
    }

    SimulatedDisk disk(int id) {
        return disks.get(id);
    }

    /** Nothing gets from one to the other, of what the metadata log says or of the rest or both. */
    void cut(int from, int to, boolean log, boolean rest) {
        if (log) {
            quorumCuts.add(link(from, to));
        }
        if (rest) {
            network.cut(SimulatedBroker.host(from), SimulatedBroker.host(to));
        }
    }

    /** What was cut is joined again, and what was slow is quick. */
    void heal() {
        quorumCuts.clear();
        network.heal();
        for (int id : brokers.keySet()) {
            brokers.get(id).node().lag(0);
            for (int other = 1; other <= BROKERS; other++) {
                network.delay(SimulatedBroker.host(id), SimulatedBroker.host(other), 0);
            }
            network.delay(SimulatedBroker.host(id), CLIENTS, 0);
            network.delay(CLIENTS, SimulatedBroker.host(id), 0);
        }
    }
}
