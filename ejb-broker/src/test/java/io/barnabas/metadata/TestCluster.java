package io.barnabas.metadata;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterPartitionRequestData;
import org.apache.kafka.common.message.AlterPartitionResponseData;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.message.BrokerRegistrationResponseData;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.NullUnmarked;

/**
 * A cluster's metadata in memory with the controller at node 1, to which brokers speak as over the wire: everything happens at once and
 * on the caller's thread, time passes when a test says so.
 */
@NullUnmarked
public final class TestCluster implements AutoCloseable {
    public static final int CONTROLLER = 1;

    public final ManualClock clock = new ManualClock();
    public final ManualTicker ticker = new ManualTicker(clock);
    final ReplayedMetadata metadata = new ReplayedMetadata(TestMetadata.CLUSTER_ID, e -> {
        throw new AssertionError(e);
    });
    final LiveConfig config;
    final PartitionRules rules;
    final Controller controller;
    final ControllerService service;
    /** What is found where a broker is looked for; {@link BrokerProbe.Finding#THERE} if nothing is said. */
    final Map<Integer, CompletableFuture<BrokerProbe.Finding>> findings = new HashMap<>();

    private final Map<Integer, Long> epochs = new HashMap<>();
    private long incarnations;

    /** @param features levels beside that of the metadata */
    public TestCluster(Map<String, String> config, Map<String, Short> features) {
        this.config = new LiveConfig(BrokerConfig.of(config));
        this.rules = new PartitionRules(this.config);
        SimulatedMetadataLog log = new SimulatedMetadataLog(CONTROLLER);
        controller = new Controller(log, metadata, CONTROLLER, Runnable::run);
        service = new ControllerService(
                controller,
                metadata,
                CONTROLLER,
                ControllerSettings.of(this.config),
                new ControllerService.Time(clock, ticker));
        service.probeBy(
                broker -> findings.getOrDefault(broker, CompletableFuture.completedFuture(BrokerProbe.Finding.THERE)));
        log.start(metadata);
        List<ApiMessage> records = new ArrayList<>();
        records.add(new FeatureLevelRecord()
                .setName(MetadataNodeSettings.METADATA_VERSION)
                .setFeatureLevel(MetadataNodeSettings.METADATA_VERSION_LEVEL));
        features.forEach((name, level) ->
                records.add(new FeatureLevelRecord().setName(name).setFeatureLevel(level)));
        replay(records);
    }

    /** Three brokers in service, which keep eligible leaders; {@code min.insync.replicas} is 2. */
    public static TestCluster ofThree() {
        TestCluster cluster =
                new TestCluster(Map.of("min.insync.replicas", "2"), Map.of(PartitionRules.ELIGIBLE_LEADERS, (short) 1));
        for (int id = 1; id <= 3; id++) {
            cluster.join(id);
        }
        return cluster;
    }

    public MetadataImage image() {
        return metadata.image();
    }

    public Controller controller() {
        return controller;
    }

    public Metadata metadata() {
        return metadata;
    }

    public ControllerService service() {
        return service;
    }

    public PartitionImage partition(String topic) {
        return image().partition(topic, 0);
    }

    public BrokerImage broker(int id) {
        return image().broker(id).orElseThrow();
    }

    /** The epoch that a broker has been given last. */
    public long epoch(int id) {
        return epochs.get(id);
    }

    public void replay(List<ApiMessage> records) {
        controller
                .submit("test", image -> Controller.Decision.of(records, true))
                .join();
    }

    /** Makes a topic of one partition, which the first of {@code replicas} leads; all are in sync. */
    public Uuid topic(String name, Integer... replicas) {
        Uuid id = new Uuid(77, name.hashCode());
        List<Integer> all = List.of(replicas);
        replay(List.of(
                new TopicRecord().setName(name).setTopicId(id),
                new PartitionRecord()
                        .setTopicId(id)
                        .setPartitionId(0)
                        .setLeader(all.get(0))
                        .setLeaderEpoch(0)
                        .setPartitionEpoch(0)
                        .setReplicas(all)
                        .setIsr(all)
                        .setDirectories(all.stream().map(TestCluster::directory).toList())));
        return id;
    }

    /** The one directory of a broker. */
    public static Uuid directory(int broker) {
        return new Uuid(1_000, 1_000 + broker);
    }

    /** A new incarnation of a broker registers; {@code previousEpoch} is from the mark of a clean stop, or -1. */
    public BrokerRegistrationResponseData register(int id, long previousEpoch) {
        return register(presentation(id, previousEpoch));
    }

    private BrokerRegistrationRequestData presentation(int id, long previousEpoch) {
        BrokerRegistrationRequestData request = new BrokerRegistrationRequestData()
                .setBrokerId(id)
                .setClusterId(TestMetadata.CLUSTER_ID)
                .setIncarnationId(new Uuid(id, ++incarnations))
                .setLogDirs(List.of(directory(id)))
                .setPreviousBrokerEpoch(previousEpoch);
        request.listeners()
                .add(new BrokerRegistrationRequestData.Listener()
                        .setName("PLAINTEXT")
                        .setHost("localhost")
                        .setPort(9092 + id));
        FeatureControl.SUPPORTED.forEach((name, range) -> request.features()
                .add(new BrokerRegistrationRequestData.Feature()
                        .setName(name)
                        .setMinSupportedVersion(range.min())
                        .setMaxSupportedVersion(range.max())));
        return request;
    }

    public BrokerRegistrationResponseData register(BrokerRegistrationRequestData request) {
        BrokerRegistrationResponseData answer =
                (BrokerRegistrationResponseData) service.handle(request).join();
        if (answer.errorCode() == 0) {
            findings.remove(request.brokerId());
            epochs.put(request.brokerId(), answer.brokerEpoch());
        }
        return answer;
    }

    /** A broker registers and comes into service. */
    public void join(int id) {
        register(id, -1);
        heartbeat(id);
    }

    /** The same for one that stands in a rack. */
    public void join(int id, String rack) {
        register(presentation(id, -1).setRack(rack));
        heartbeat(id);
    }

    /** From now on a broker is looked for with this result. */
    public void finding(int broker, BrokerProbe.Finding finding) {
        findings.put(broker, CompletableFuture.completedFuture(finding));
    }

    /** A broker's process ends: its connection to the controller closes, and nobody listens at its address. */
    public void kill(int broker) {
        finding(broker, BrokerProbe.Finding.GONE);
        service.onDisconnected(broker);
    }

    /** A heartbeat of a broker that knows all and wants nothing. */
    public BrokerHeartbeatResponseData heartbeat(int id) {
        return heartbeat(new BrokerHeartbeatRequestData()
                .setBrokerId(id)
                .setBrokerEpoch(epochs.get(id))
                .setCurrentMetadataOffset(image().index()));
    }

    public BrokerHeartbeatResponseData heartbeat(BrokerHeartbeatRequestData request) {
        return (BrokerHeartbeatResponseData) service.handle(request).join();
    }

    /** Time passes, in which some brokers send heartbeats. */
    public void pass(long ms, int... alive) {
        for (long left = ms; left > 0; left -= 100) {
            ticker.advance(Math.min(100, left));
            for (int id : alive) {
                heartbeat(id);
            }
        }
    }

    /** A leader asks for other in-sync replicas, named with the epochs that {@code brokerEpochs} gives. */
    public AlterPartitionResponseData.PartitionData alter(
            String topic, int leader, List<Integer> isr, Map<Integer, Long> brokerEpochs) {
        PartitionImage partition = partition(topic);
        AlterPartitionRequestData.PartitionData wanted = new AlterPartitionRequestData.PartitionData()
                .setPartitionIndex(0)
                .setLeaderEpoch(partition.leaderEpoch())
                .setPartitionEpoch(partition.partitionEpoch())
                .setNewIsrWithEpochs(isr.stream()
                        .map(id -> new AlterPartitionRequestData.BrokerState()
                                .setBrokerId(id)
                                .setBrokerEpoch(brokerEpochs.getOrDefault(id, epochs.get(id))))
                        .toList());
        return alter(topic, leader, wanted);
    }

    public AlterPartitionResponseData.PartitionData alter(
            String topic, int leader, AlterPartitionRequestData.PartitionData wanted) {
        AlterPartitionRequestData request =
                new AlterPartitionRequestData().setBrokerId(leader).setBrokerEpoch(epochs.get(leader));
        AlterPartitionRequestData.TopicData data = new AlterPartitionRequestData.TopicData()
                .setTopicId(image().topic(topic).id());
        data.partitions().add(wanted);
        request.topics().add(data);
        AlterPartitionResponseData answer =
                (AlterPartitionResponseData) service.handle(request).join();
        if (answer.errorCode() != 0) {
            throw new AssertionError("AlterPartition: " + answer);
        }
        return answer.topics().get(0).partitions().get(0);
    }

    @Override
    public void close() {
        service.close();
    }
}
