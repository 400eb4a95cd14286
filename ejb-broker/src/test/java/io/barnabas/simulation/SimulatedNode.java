package io.barnabas.simulation;

import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.coordinator.group.TestConsumerGroups;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogDirectories;
import io.barnabas.log.LogEnvironment;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.log.SimulatedDisk;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.partition.LeadershipListener;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.Partition;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.io.IOException;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metadata.ConfigRecord;

/** One life of the broker's process: real logs, partitions and group coordinator; its threads and its ticker die with it. */
final class SimulatedNode {
    static final String TOPIC = "t";
    static final int PARTITIONS = 3;
    static final String OFFSETS = Topic.GROUP_METADATA_TOPIC_NAME;
    static final int OFFSETS_PARTITIONS = 2;

    /** The lane where shards are loaded and their time-outs run. */
    static final String COORDINATOR = "coordinator";

    final SimulatedThreads threads = new SimulatedThreads();
    final ManualTicker ticker;
    final LogDirectories logs;
    final LocalPartitions partitions;
    final GroupCoordinator groups;
    final WatchedWriter writer;
    private final SimulatedMetadata metadata = new SimulatedMetadata(threads);

    /** What outlives the process. */
    record World(
            SimulatedDisk disk,
            ManualClock clock,
            LogManagerSettings logSettings,
            GroupCoordinatorSettings groupSettings,
            Map<String, LogConfig> topics,
            UnaryOperator<String> memberIds,
            Product product) {}

    /** Opens everything; shards are being loaded when this returns. */
    SimulatedNode(World world, int leaderEpoch) throws IOException {
        ticker = new ManualTicker(world.clock);
        logs = LogDirectories.open(world.logSettings, new LogEnvironment(world.disk, world.clock, ticker, threads));
        metadata.create(TOPIC, PARTITIONS, leaderEpoch);
        metadata.create(OFFSETS, OFFSETS_PARTITIONS, leaderEpoch);
        partitions = new LocalPartitions(
                TestMetadata.NODE_ID,
                logs,
                (topic, image) -> world.topics.getOrDefault(topic, LogConfig.defaults()),
                metadata.ordered(),
                metadata::work);
        metadata.change(partitions::start);
        writer = new WatchedWriter(new LocalPartitionWriter(partitions));
        groups = new GroupCoordinator(
                world.groupSettings,
                TestConsumerGroups::defaults,
                new CoordinatorRuntime.Environment(
                        world.clock,
                        ticker,
                        threads.lane(COORDINATOR),
                        world.product.writer(
                                writer,
                                partition -> partitions.leader(partition).log().logEndOffset(),
                                threads.lane("late"))),
                new GroupCoordinator.Cluster(() -> OFFSETS_PARTITIONS, metadata::image),
                world.memberIds);
        partitions.onLeadership(new OffsetsTopic());
    }

    /** An admin's change of a topic's settings, which are in the world already. */
    void settingsChanged(String topic, String value) {
        metadata.change(() -> metadata.test.replay(new ConfigRecord()
                .setResourceType(ConfigResource.Type.TOPIC.id())
                .setResourceName(topic)
                .setName("segment.bytes")
                .setValue(value)));
    }

    private final class OffsetsTopic implements LeadershipListener {
        @Override
        public void onLeader(Partition partition, int leaderEpoch) {
            if (partition.topicPartition().topic().equals(OFFSETS)) {
                groups.onElected(partition.topicPartition().partition(), leaderEpoch);
            }
        }

        @Override
        public void onResigned(TopicPartition partition, int leaderEpoch) {
            if (partition.topic().equals(OFFSETS)) {
                groups.onResigned(partition.partition());
            }
        }
    }

    LocalPartition leader(TopicPartition partition) {
        return partitions.leader(partition);
    }

    boolean allOnline() {
        return logs.directories().stream().allMatch(DataDirectory::online);
    }

    /** Ends in order. */
    void close() throws IOException {
        groups.close();
        logs.close();
    }
}
