package io.barnabas.net;

/**
 * Bounds of connections to other brokers.
 *
 * @param eventLoopThreads threads that serve them; started with the first connection
 * @param connectTimeoutMs a connection that does not stand by then has failed
 * @param maxFrameBytes largest answer
 * @param maxInFlightRequests requests of one connection that may be unanswered
 * @param maxInFlightBytes bytes of those; one request alone may have more
 * @param receiveBytes bytes of answers in memory over all connections that are not handed on yet
 */
public record PeerBounds(
        int eventLoopThreads,
        int connectTimeoutMs,
        int maxFrameBytes,
        int maxInFlightRequests,
        int maxInFlightBytes,
        long receiveBytes) {
    private static final int LOOPS_MAX = 4;

    /** For this machine: {@code directMemoryBytes} is what buffers of the process may have. */
    public static PeerBounds defaults(int processors, long directMemoryBytes) {
        int frameMax = 256 << 20;
        return new PeerBounds(
                Math.max(1, Math.min(processors, LOOPS_MAX)),
                3_000,
                frameMax,
                1_000,
                32 << 20,
                Math.max(64 << 20, directMemoryBytes / 8));
    }
}
