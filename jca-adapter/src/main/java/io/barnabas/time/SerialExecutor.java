package io.barnabas.time;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Runs tasks one at a time in the order they came, on the thread that brought the first of them: a free executor costs no
 * thread hand-off, a busy one queues. One writer for a piece of state without a thread of its own (coordinator shards use it).
 *
 * <p>A task must neither block nor throw; what it throws is handed to the {@code onError} of the constructor and the next
 * task runs. A thread that finds the executor free runs at most {@code maxInline} tasks before it hands the rest to
 * {@code overflow}, so that no event loop is held by other connections' work.
 */
public final class SerialExecutor implements Executor {
    private final Executor overflow;
    private final java.util.function.Consumer<Throwable> onError;
    private final int maxInline;
    private final Queue<Runnable> waiting = new ArrayDeque<>(); // guarded by itself
    private boolean running; // guarded by waiting

    public SerialExecutor(Executor overflow, int maxInline, java.util.function.Consumer<Throwable> onError) {
        this.overflow = overflow;
        this.maxInline = maxInline;
        this.onError = onError;
    }

    @Override
    public void execute(Runnable task) {
        synchronized (waiting) {
            if (running) {
                waiting.add(task);
                return;
            }
            running = true;
        }
        drain(task, maxInline);
    }

    private void drain(@Nullable Runnable first, int budget) {
        Runnable task = first;
        int left = budget;
        while (true) {
            if (task != null) {
                try {
                    task.run();
                } catch (Throwable e) {
                    onError.accept(e);
                }
            }
            synchronized (waiting) {
                if (--left <= 0 && !waiting.isEmpty()) {
                    overflow.execute(() -> drain(null, maxInline));
                    return;
                }
                task = waiting.poll();
                if (task == null) {
                    running = false;
                    return;
                }
            }
        }
    }
}
