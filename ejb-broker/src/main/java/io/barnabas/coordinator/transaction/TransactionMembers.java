package io.barnabas.coordinator.transaction;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/** Which partitions have joined a transaction: as its coordinator says, on whichever broker that is. Safe from any thread. */
public interface TransactionMembers {
    TransactionCoordinatorSettings settings();

    /**
     * Partitions join the producer's transaction.
     *
     * @param version transaction version of the client: 2 if it gets a new epoch with each transaction, else 0
     * @return NONE or the error for all of them; never fails
     */
    CompletableFuture<Errors> add(TransactionPartitions request, short version);

    /** Whether partitions have joined the producer's transaction: for each NONE or an error; never fails. */
    CompletableFuture<Map<TopicPartition, Errors>> verify(TransactionPartitions request);
}
