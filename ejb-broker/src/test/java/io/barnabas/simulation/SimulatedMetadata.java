package io.barnabas.simulation;

import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.OrderedMetadata;
import io.barnabas.metadata.TestMetadata;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/** The metadata of a simulated broker: its topics, and on which threads the partitions follow them. */
final class SimulatedMetadata {
    final TestMetadata test = new TestMetadata();
    private final SimulatedThreads threads;
    private boolean changing;

    SimulatedMetadata(SimulatedThreads threads) {
        this.threads = threads;
    }

    MetadataImage image() {
        return test.image();
    }

    void create(String topic, int count, int leaderEpoch) {
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
        test.replay(records);
    }

    /** The metadata thread at work: it waits for its tasks. */
    void change(Runnable change) {
        changing = true;
        try {
            change.run();
        } finally {
            changing = false;
        }
    }

    /** Where partitions leave a task: but for those of the metadata thread the workers take them. */
    void work(Runnable task) {
        if (changing) {
            task.run();
        } else {
            threads.worker().execute(task);
        }
    }

    /** The same in each process. */
    Metadata ordered() {
        return new OrderedMetadata(test.metadata());
    }
}
