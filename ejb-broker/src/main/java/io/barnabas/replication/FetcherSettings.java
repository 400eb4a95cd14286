package io.barnabas.replication;

import io.barnabas.config.BrokerConfig;

/**
 * How followers fetch, by Kafka's keys.
 *
 * @param minBytes {@code replica.fetch.min.bytes}
 * @param maxWaitMs {@code replica.fetch.wait.max.ms}
 * @param maxBytes {@code replica.fetch.response.max.bytes}
 * @param partitionMaxBytes {@code replica.fetch.max.bytes}
 * @param backoffMsMax {@code replica.fetch.backoff.ms}: errors are tried again sooner at first
 * @param timeoutMs {@code replica.socket.timeout.ms}
 */
public record FetcherSettings(
        int minBytes, int maxWaitMs, int maxBytes, int partitionMaxBytes, int backoffMsMax, int timeoutMs) {
    /** Of a broker's configuration. */
    public static FetcherSettings of(BrokerConfig config) {
        return new FetcherSettings(
                config.getInt("replica.fetch.min.bytes"),
                config.getInt("replica.fetch.wait.max.ms"),
                config.getInt("replica.fetch.response.max.bytes"),
                config.getInt("replica.fetch.max.bytes"),
                config.getInt("replica.fetch.backoff.ms"),
                config.getInt("replica.socket.timeout.ms"));
    }
}
