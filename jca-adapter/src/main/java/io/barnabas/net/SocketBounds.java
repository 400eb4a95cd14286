package io.barnabas.net;

/**
 * Bounds of the sockets that are not Kafka's settings.
 *
 * @param frameTimeoutMs a frame that has begun must be complete within this, or its connection is closed (slow senders)
 * @param writeHighBytes answers a client has not taken, above which its requests are read no further
 * @param writeLowBytes below this they are read again
 * @param stopGraceMs how long a stop waits for requests in flight to be answered and the answers to be sent
 */
public record SocketBounds(long frameTimeoutMs, int writeHighBytes, int writeLowBytes, long stopGraceMs) {
    public static SocketBounds defaults() {
        return new SocketBounds(30_000, 1 << 20, 256 << 10, 3_000);
    }
}
