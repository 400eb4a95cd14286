package io.barnabas.replication;

import org.apache.kafka.common.Uuid;

/** Names a partition as fetches do. */
record PartitionKey(Uuid topicId, int index) {}
