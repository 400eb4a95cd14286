package io.barnabas.simulation;

import io.barnabas.coordinator.PartitionWriter;
import io.barnabas.log.AppendOrigin;
import io.barnabas.log.AppendResult;
import io.barnabas.partition.LocalPartition;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicPartition;

/** What is under test, as it is; its broken twins override what they break. */
class Product {
    private static final short ACKS_ALL = -1;

    /** A producer's batch goes to the partition. */
    AppendResult append(LocalPartition partition, ProducingClient.Batch batch) {
        return partition.append(batch.bytes(true), AppendOrigin.CLIENT, ACKS_ALL);
    }

    /** What the coordinator writes with. */
    PartitionWriter writer(PartitionWriter real, LogEnds ends, Executor later) {
        return real;
    }

    /** The log end offset of a partition. */
    interface LogEnds {
        long of(TopicPartition partition);
    }
}
