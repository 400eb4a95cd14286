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
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TestMetadata;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.Partition;
import io.barnabas.partition.PartitionRegistry;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import java.io.IOException;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;

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
    private final TestMetadata metadata = new TestMetadata();
    private boolean changing;

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
        create(TOPIC, PARTITIONS, leaderEpoch);
        create(OFFSETS, OFFSETS_PARTITIONS, leaderEpoch);
        partitions = new LocalPartitions(
                TestMetadata.NODE_ID,
                logs,
                (topic, image) -> world.topics.getOrDefault(topic, LogConfig.defaults()),
                ordered(metadata.metadata()),
                this::work);
        changing = true;
        partitions.start();
        changing = false;
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

    /** The metadata thread waits for its tasks; others are left to the workers. */
    private void work(Runnable task) {
        if (changing) {
            task.run();
        } else {
            threads.worker().execute(task);
        }
    }

    private void create(String topic, int count, int leaderEpoch) {
        Uuid id = new Uuid(7, topic.hashCode());
        ApiMessage[] records = new ApiMessage[count + 1];
        records[0] = new TopicRecord().setName(topic).setTopicId(id);
        for (int i = 0; i < count; i++) {
            records[i + 1] = new PartitionRecord()
                    .setTopicId(id)
                    .setPartitionId(i)
                    .setReplicas(List.of(TestMetadata.NODE_ID))
                    .setIsr(List.of(TestMetadata.NODE_ID))
                    .setLeader(TestMetadata.NODE_ID)
                    .setLeaderEpoch(leaderEpoch)
                    .setPartitionEpoch(leaderEpoch)
                    .setDirectories(List.of(new Uuid(1, 100)));
        }
        metadata.replay(records);
    }

    /** An admin's change of a topic's settings, which are in the world already. */
    void settingsChanged(String topic, String value) {
        changing = true;
        try {
            metadata.replay(new ConfigRecord()
                    .setResourceType(ConfigResource.Type.TOPIC.id())
                    .setResourceName(topic)
                    .setName("segment.bytes")
                    .setValue(value));
        } finally {
            changing = false;
        }
    }

    /** Sets of the platform iterate differently in each process: a seed must not depend on it. */
    private static Metadata ordered(Metadata real) {
        return new Metadata() {
            @Override
            public MetadataImage image() {
                return real.image();
            }

            @Override
            public void onChange(Listener listener) {
                real.onChange((change, image) -> {
                    Set<Uuid> topics = new LinkedHashSet<>();
                    change.topics().stream().sorted(Comparator.naturalOrder()).forEach(topics::add);
                    listener.onChange(
                            new Change(
                                    topics,
                                    change.deletedTopics(),
                                    change.configs(),
                                    change.brokers(),
                                    change.features()),
                            image);
                });
            }
        };
    }

    private final class OffsetsTopic implements PartitionRegistry.LeadershipListener {
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
