package io.barnabas.coordinator;

/**
 * Whose transaction an operation's records belong to: they count from its commit on.
 *
 * @param guard of {@link PartitionWriter#beginVerification}
 */
public record TransactionalBatch(long producerId, short producerEpoch, long guard) {}
