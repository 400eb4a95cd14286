package io.barnabas.metadata;

import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * A topic. Immutable.
 *
 * @param partitions by index
 */
public record TopicImage(Uuid id, String name, List<PartitionImage> partitions) {}
