package io.barnabas.coordinator.transaction;

import io.barnabas.config.BrokerConfig;

/**
 * The transaction coordinator's settings, named by their broker keys.
 *
 * @param maxTimeoutMs transaction.max.timeout.ms
 * @param idExpirationMs transactional.id.expiration.ms
 * @param abortIntervalMs transaction.abort.timed.out.transaction.cleanup.interval.ms
 * @param expiryIntervalMs transaction.remove.expired.transaction.cleanup.interval.ms
 * @param partitions transaction.state.log.num.partitions: for a topic that is yet to be made
 * @param retryBackoffMs add.partitions.to.txn.retry.backoff.ms
 * @param retryMaxMs add.partitions.to.txn.retry.backoff.max.ms: for so long it is asked again
 * @param twoPhaseCommit transaction.two.phase.commit.enable: whether clients may take part in two-phase commits (KIP-939)
 * @param commitTimeoutMs how long an answer waits for the commit of what it rests on
 */
public record TransactionCoordinatorSettings(
        int maxTimeoutMs,
        int idExpirationMs,
        int abortIntervalMs,
        int expiryIntervalMs,
        int partitions,
        int retryBackoffMs,
        int retryMaxMs,
        boolean twoPhaseCommit,
        int commitTimeoutMs) {
    /** Kafka's defaults. */
    public static TransactionCoordinatorSettings defaults() {
        return new TransactionCoordinatorSettings(900_000, 604_800_000, 10_000, 3_600_000, 50, 20, 100, false, 30_000);
    }

    /** As the broker is configured. */
    public static TransactionCoordinatorSettings of(BrokerConfig config) {
        return new TransactionCoordinatorSettings(
                config.getInt("transaction.max.timeout.ms"),
                config.getInt("transactional.id.expiration.ms"),
                config.getInt("transaction.abort.timed.out.transaction.cleanup.interval.ms"),
                config.getInt("transaction.remove.expired.transaction.cleanup.interval.ms"),
                config.getInt("transaction.state.log.num.partitions"),
                config.getInt("add.partitions.to.txn.retry.backoff.ms"),
                config.getInt("add.partitions.to.txn.retry.backoff.max.ms"),
                config.getBoolean("transaction.two.phase.commit.enable"),
                config.getInt("request.timeout.ms"));
    }
}
