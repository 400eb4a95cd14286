package io.barnabas.net;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The bound on memory held by unfinished request frames of all connections, and by requests that wait with what they brought
 * ({@code queued.max.request.bytes}). A connection that gets nothing is not read until others give back. The last grant may pass the
 * bound by one frame, so that a frame larger than what is left can be received at all. Safe from any thread.
 */
final class FrameBudget {
    private final long limitBytes;
    private final AtomicLong usedBytes = new AtomicLong();
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    FrameBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    boolean tryReserve(int bytes) {
        long used = usedBytes.get();
        while (used < limitBytes) {
            if (usedBytes.compareAndSet(used, used + bytes)) {
                return true;
            }
            used = usedBytes.get();
        }
        return false;
    }

    /** Counts what is held already; false if the bound is reached. */
    boolean charge(int bytes) {
        return usedBytes.addAndGet(bytes) < limitBytes;
    }

    void release(int bytes) {
        usedBytes.addAndGet(-bytes);
        wake();
    }

    /** Runs {@code retry} once, on any thread, when bytes have been given back. */
    void onRoom(Runnable retry) {
        waiting.add(retry);
        if (usedBytes.get() < limitBytes) {
            wake();
        }
    }

    private void wake() {
        if (waiting.isEmpty()) {
            return;
        }
        for (int left = waiting.size(); left > 0; left--) {
            Runnable retry = waiting.poll();
            if (retry == null) {
                return;
            }
            retry.run();
        }
    }
}
