package io.barnabas.coordinator.transaction;

import java.util.Collection;
import org.apache.kafka.common.TopicPartition;

/** Partitions that a producer writes to in its transaction. */
public record TransactionPartitions(
        String transactionalId, ProducerIdentity producer, Collection<TopicPartition> partitions) {}
