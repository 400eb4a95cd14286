package io.barnabas.system.checker;

import org.apache.kafka.common.TopicPartition;

/** The record that a group turned into an output. */
public record Source(String group, TopicPartition partition, long offset) {}
