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
        drain(task);
    }

    /** Runs {@code task} in its turn, never on this thread: for one that must not be held, as the ticker's. */
    public void handOver(Runnable task) {
        synchronized (waiting) {
            waiting.add(task);
            if (running) {
                return;
            }
            running = true;
        }
        overflow.execute(() -> drain(null));
    }

    private void drain(@Nullable Runnable first) {
        @Nullable Runnable task = first == null ? next(maxInline) : first;
        for (int left = maxInline - 1; task != null; left--) {
            try {
                task.run();
            } catch (Throwable e) {
                onError.accept(e);
            }
            task = next(left);
        }
    }

    /** The next task; null if there is none, or if this thread has done its share and another goes on. */
    private @Nullable Runnable next(int left) {
        synchronized (waiting) {
            if (waiting.isEmpty()) {
                running = false;
                return null;
            }
            if (left <= 0) {
                overflow.execute(() -> drain(null));
                return null;
            }
            return waiting.poll();
        }
    }
}
