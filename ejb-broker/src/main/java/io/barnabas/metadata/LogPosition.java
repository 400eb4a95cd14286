package io.barnabas.metadata;

/**
 * How far the metadata log is on the node that leads it.
 *
 * @param term of the present leader: Kafka's leader epoch of its metadata partition
 * @param endIndex after the last entry
 * @param committedIndex after the last entry that is committed
 */
public record LogPosition(long term, long endIndex, long committedIndex) {}
