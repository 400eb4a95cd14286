package io.barnabas.log;

import io.barnabas.time.ManualClock;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Runs the log's work on the thread that asks for it, one task after the other: deterministic. */
public final class DirectLogThreads implements LogThreads {
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private boolean running;
    private @Nullable ManualClock clock;
    private long restedMs;

    private void execute(Runnable task) {
        waiting.add(task);
        if (running) {
            return;
        }
        running = true;
        try {
            for (Runnable next = waiting.poll(); next != null; next = waiting.poll()) {
                next.run();
            }
        } finally {
            running = false;
        }
    }

    @Override
    public Executor forcer(Path directory) {
        return this::execute;
    }

    @Override
    public Executor worker() {
        return this::execute;
    }

    @Override
    public Executor cleaner() {
        return this::execute;
    }

    @Override
    public Executor checker() {
        return this::execute;
    }

    /** Rests pass on this clock at once. */
    DirectLogThreads restingOn(ManualClock manual) {
        clock = manual;
        return this;
    }

    long restedMs() {
        return restedMs;
    }

    @Override
    public void cleaners(int threads) {
        // there is one thread
    }

    @Override
    public void rest(long ms) {
        restedMs += ms;
        if (clock != null) {
            clock.advance(ms);
        }
    }

    @Override
    public void runAll(List<Runnable> tasks, int threads) {
        tasks.forEach(Runnable::run);
    }

    @Override
    public void close() {
        waiting.clear();
    }
}
