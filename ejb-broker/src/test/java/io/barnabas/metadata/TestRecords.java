package io.barnabas.metadata;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/** Records for tests. */
public final class TestRecords {
    private TestRecords() {}

    /** A topic with a random id and one replica, on broker 1. */
    public static List<ApiMessage> topic(String name, int partitions) {
        return topic(name, Uuid.randomUuid(), partitions);
    }

    /** A topic with one replica, on broker 1. */
    public static List<ApiMessage> topic(String name, Uuid id, int partitions) {
        List<ApiMessage> records = new ArrayList<>();
        records.add(new TopicRecord().setName(name).setTopicId(id));
        for (int i = 0; i < partitions; i++) {
            records.add(new PartitionRecord()
                    .setTopicId(id)
                    .setPartitionId(i)
                    .setLeader(TestMetadata.NODE_ID)
                    .setLeaderEpoch(0)
                    .setPartitionEpoch(0)
                    .setReplicas(List.of(TestMetadata.NODE_ID))
                    .setIsr(List.of(TestMetadata.NODE_ID)));
        }
        return records;
    }
}
