package io.barnabas.request;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Clock and ticker that stand until told to move; due tasks run on the thread that moves them. */
public final class ManualTicker implements Ticker, Clock {
    private final List<Task> tasks = new ArrayList<>();
    private long nowMs;

    private final class Task implements Timeout {
        private final long at;
        private final Runnable run;

        Task(long at, Runnable run) {
            this.at = at;
            this.run = run;
        }

        @Override
        public void cancel() {
            tasks.remove(this);
        }
    }

    @Override
    public Timeout after(long delayMs, Runnable run) {
        Task task = new Task(nowMs + Math.max(0, delayMs), run);
        tasks.add(task);
        return task;
    }

    /** Moves time and runs what is due, in order. */
    public void advance(long ms) {
        long until = nowMs + ms;
        while (true) {
            Task next = tasks.stream()
                    .filter(task -> task.at <= until)
                    .min(Comparator.comparingLong(task -> task.at))
                    .orElse(null);
            if (next == null) {
                break;
            }
            tasks.remove(next);
            nowMs = next.at;
            next.run.run();
        }
        nowMs = until;
    }

    /** Tasks that wait. */
    public int waiting() {
        return tasks.size();
    }

    @Override
    public long wallMillis() {
        return nowMs;
    }

    @Override
    public long nanoTime() {
        return nowMs * 1_000_000L;
    }
}
