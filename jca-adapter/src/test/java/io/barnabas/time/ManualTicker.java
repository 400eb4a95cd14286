package io.barnabas.time;

import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A ticker whose time a test moves; tasks run on the thread that moves it, in the order of their times. */
public final class ManualTicker implements Ticker {
    private final ManualClock clock;
    private final TreeMap<Due, Runnable> tasks =
            new TreeMap<>(Comparator.comparingLong(Due::atMs).thenComparingLong(Due::sequence)); // guarded by this
    private long sequence;

    public ManualTicker(ManualClock clock) {
        this.clock = clock;
    }

    private record Due(long atMs, long sequence) {}

    @Override
    public synchronized Timeout after(long delayMs, Runnable body) {
        long now = clock.monotonicMillis();
        long at = delayMs > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + Math.max(0, delayMs);
        Due due = new Due(at, sequence++);
        tasks.put(due, body);
        return () -> remove(due);
    }

    private synchronized void remove(Due due) {
        tasks.remove(due);
    }

    /** Tasks that wait. */
    public synchronized int pending() {
        return tasks.size();
    }

    /** Moves the clock on and runs what falls due on the way, each at its own time. */
    public void advance(long ms) {
        long until = clock.monotonicMillis() + ms;
        Map.@Nullable Entry<Due, Runnable> due = takeDue(until);
        while (due != null) {
            clock.advance(Math.max(0, due.getKey().atMs() - clock.monotonicMillis()));
            due.getValue().run();
            due = takeDue(until);
        }
        clock.advance(Math.max(0, until - clock.monotonicMillis()));
    }

    private synchronized Map.@Nullable Entry<Due, Runnable> takeDue(long until) {
        return tasks.isEmpty() || tasks.firstKey().atMs() > until ? null : tasks.pollFirstEntry();
    }
}
