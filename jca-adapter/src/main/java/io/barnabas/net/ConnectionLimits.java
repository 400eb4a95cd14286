package io.barnabas.net;

import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** Counts connections against {@code max.connections} and {@code max.connections.per.ip}. Safe from any thread. */
final class ConnectionLimits {
    private final IntSupplier maxConnections;
    private final IntSupplier maxPerIp;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<InetAddress, Integer> perIp = new ConcurrentHashMap<>();

    /** Limits that may change while connections are open: none is closed when they sink. */
    ConnectionLimits(IntSupplier maxConnections, IntSupplier maxPerIp) {
        this.maxConnections = maxConnections;
        this.maxPerIp = maxPerIp;
    }

    /** Counts a connection in, unless that would pass a limit. */
    boolean admit(InetAddress remote) {
        if (open.incrementAndGet() > maxConnections.getAsInt()) {
            open.decrementAndGet();
            return false;
        }
        if (perIp.merge(remote, 1, Integer::sum) > maxPerIp.getAsInt()) {
            release(remote);
            return false;
        }
        return true;
    }

    /** Counts an admitted connection out. */
    void release(InetAddress remote) {
        open.decrementAndGet();
        perIp.computeIfPresent(remote, (address, count) -> count == 1 ? null : count - 1);
    }

    int open() {
        return open.get();
    }
}
