package io.barnabas.time;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** A ticker whose time a test moves; tasks run on the thread that moves it, in the order of their times. */
public final class ManualTicker implements Ticker {
    private final ManualClock clock;
    private final List<Task> tasks = new ArrayList<>(); // guarded by this
    private long sequence;

    public ManualTicker(ManualClock clock) {
        this.clock = clock;
    }

    private record Task(long atMs, long sequence, Runnable body) {}

    @Override
    public synchronized Timeout after(long delayMs, Runnable body) {
        long now = clock.monotonicMillis();
        long at = delayMs > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + Math.max(0, delayMs);
        Task task = new Task(at, sequence++, body);
        tasks.add(task);
        return () -> remove(task);
    }

    private synchronized void remove(Task task) {
        tasks.remove(task);
    }

    /** Tasks that wait. */
    public synchronized int pending() {
        return tasks.size();
    }

    /** Moves the clock on and runs what falls due on the way, each at its own time. */
    public void advance(long ms) {
        long until = clock.monotonicMillis() + ms;
        Optional<Task> due = takeDue(until);
        while (due.isPresent()) {
            clock.advance(Math.max(0, due.get().atMs() - clock.monotonicMillis()));
            due.get().body().run();
            due = takeDue(until);
        }
        clock.advance(Math.max(0, until - clock.monotonicMillis()));
    }

    private synchronized Optional<Task> takeDue(long until) {
        Optional<Task> first = tasks.stream()
                .filter(task -> task.atMs() <= until)
                .min(Comparator.comparingLong(Task::atMs).thenComparingLong(Task::sequence));
        first.ifPresent(tasks::remove);
        return first;
    }
}
