package io.barnabas.system.checker;

import org.apache.kafka.common.TopicPartition;

/** A record as a consumer saw it. Values are unique over the whole history. */
public record Read(TopicPartition partition, long offset, long value) {}
