package io.barnabas.admin;

import java.util.List;

/**
 * The broker at one look.
 *
 * @param state starting, serving or stopped
 * @param uptimeMs milliseconds since the broker began to serve
 * @param recordsInPerSecond over the last few seconds, all topics together
 */
public record Overview(
        String state,
        int brokerId,
        String clusterId,
        String version,
        long uptimeMs,
        List<String> listeners,
        int openConnections,
        int topics,
        int partitions,
        int offlinePartitions,
        int groups,
        long sizeBytes,
        double recordsInPerSecond,
        double bytesInPerSecond,
        double bytesOutPerSecond,
        List<DirectoryView> directories) {

    /** One data directory. */
    public record DirectoryView(String path, boolean online, long totalBytes, long usableBytes, int logs) {}
}
