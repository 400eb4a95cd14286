package io.barnabas.coordinator;

import io.barnabas.time.Clock;
import io.barnabas.time.SerialExecutor;
import io.barnabas.time.Ticker;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A time-out of a shard, started again and again (a member's session, a group's rebalance). It runs as an operation of the shard, on its
 * serial executor, and never after {@link #cancel} or a later {@link #start} moved it.
 *
 * <p>To put it off costs one write: the ticker's task is left where it is and, when it comes too early, is set again for the rest. A
 * heartbeat or an offset commit therefore touches no timer queue.
 *
 * <p>Confined to the shard's serial executor, but for the ticker's call, which only hands over to it.
 */
public final class ShardTimer {
    private final Source source;
    private @Nullable Consumer<Outcome> task; // null: not running
    private long deadlineMs;
    private Ticker.@Nullable Timeout armed;
    private long armedForMs;

    private ShardTimer(Source source) {
        this.source = source;
    }

    /** Runs {@code action} in {@code delayMs} milliseconds, in place of what was set before. */
    public void start(long delayMs, Consumer<Outcome> action) {
        long now = source.clock.monotonicMillis();
        task = action;
        deadlineMs = now + Math.max(delayMs, 0);
        if (armed == null || armedForMs > deadlineMs) {
            arm(now);
        }
    }

    /** Idempotent. */
    public void cancel() {
        task = null;
        if (armed != null) {
            armed.cancel();
            armed = null;
        }
    }

    public boolean isRunning() {
        return task != null;
    }

    private void arm(long now) {
        if (armed != null) {
            armed.cancel();
        }
        armedForMs = deadlineMs;
        Ticker.@Nullable Timeout[] self = new Ticker.Timeout[1];
        Ticker.Timeout timeout =
                source.ticker.after(deadlineMs - now, () -> source.executor.handOver(() -> onTick(self)));
        self[0] = timeout;
        armed = timeout;
    }

    private void onTick(Ticker.@Nullable Timeout[] self) {
        if (armed == null || self[0] != armed) {
            return; // cancelled or set anew after the ticker had let it go
        }
        armed = null;
        @Nullable Consumer<Outcome> due = task;
        if (due == null) {
            return;
        }
        long now = source.clock.monotonicMillis();
        if (now < deadlineMs) {
            arm(now);
            return;
        }
        task = null;
        source.run.accept(due);
    }

    /** Makes the timers of one shard; those of a shard that is gone run no more. */
    public static final class Source {
        private final Clock clock;
        private final Ticker ticker;
        private final SerialExecutor executor;
        private final Consumer<Consumer<Outcome>> run;

        /**
         * Makes a source.
         *
         * @param executor the shard's
         * @param run runs an operation of the shard, if it is still the present one; called on {@code executor}
         */
        Source(Clock clock, Ticker ticker, SerialExecutor executor, Consumer<Consumer<Outcome>> run) {
            this.clock = clock;
            this.ticker = ticker;
            this.executor = executor;
            this.run = run;
        }

        /** Runs an operation of the shard as soon as it is free, if it is still the present one. Safe from any thread. */
        public void run(Consumer<Outcome> operation) {
            executor.execute(() -> run.accept(operation));
        }

        public ShardTimer create() {
            return new ShardTimer(this);
        }
    }
}
