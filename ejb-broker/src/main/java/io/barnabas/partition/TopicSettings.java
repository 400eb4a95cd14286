package io.barnabas.partition;

import io.barnabas.log.LogConfig;
import io.barnabas.metadata.MetadataImage;

/** Where a topic's log settings come from: what the topic sets, over the broker's defaults. */
@FunctionalInterface
public interface TopicSettings {
    /** The settings of a topic under an image. */
    LogConfig of(String topic, MetadataImage image);
}
