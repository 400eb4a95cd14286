package io.barnabas.admin;

/**
 * A topic as a row of a list.
 *
 * @param records records that can be read now: the sum of high watermark minus log start offset
 * @param recordsInPerSecond over the last few seconds
 */
public record TopicView(
        String name,
        String id,
        boolean internal,
        int partitions,
        int replicationFactor,
        int underReplicated,
        long records,
        long sizeBytes,
        double recordsInPerSecond,
        double bytesInPerSecond) {}
