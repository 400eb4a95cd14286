package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.SystemClock;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The wait of the thread that starts a broker, for what others have to bring: it looks again and again without a limit, and tells the
 * operator every ten seconds what it lacks. By real time, since it is a real thread. For that thread.
 */
public final class StartWait {
    private static final Clock CLOCK = new SystemClock();
    private static final long TELL_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final BooleanSupplier stopping;
    private long tellAt = CLOCK.nanoTime() + TELL_EVERY_NANOS;

    /** @param stopping asked before each look: whether to give up */
    public StartWait(BooleanSupplier stopping) {
        this.stopping = stopping;
    }

    /** Whether it is time to tell what is lacking. */
    public boolean isTimeToTell() {
        if (CLOCK.nanoTime() - tellAt < 0) {
            return false;
        }
        tellAt = CLOCK.nanoTime() + TELL_EVERY_NANOS;
        return true;
    }

    /**
     * Rests between two looks.
     *
     * @param wanted what is waited for, as the reason to give
     * @throws IOException if the broker is to stop, or the thread was interrupted
     */
    public void rest(long ms, String wanted) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        if (stopping.getAsBoolean()) {
            throw new IOException("stopped before " + wanted);
        }
    }
}
