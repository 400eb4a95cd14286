package io.barnabas.time;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The machine's clocks, but that the wall clock is corrected where it is far from what the brokers of the cluster agree on: a machine whose
 * clock is years off must not take every record for too old, or refuse those of today. Small differences are left as they are.
 *
 * <p>Between two words of the cluster the time goes on by the monotonic clock, so that a step of the machine's is not followed before the
 * cluster has been asked. A broker that is alone has nobody to ask: there it is the machine's clock.
 *
 * <p>Heartbeats bring the word of the cluster. Safe from any thread.
 */
public final class AgreedClock implements Clock {
    /** Nearer than this a clock is as good as another. */
    public static final long TOLERANCE_MS = TimeUnit.MINUTES.toMillis(1);

    private final Clock machine;
    private volatile boolean settled = true;
    private volatile @Nullable Agreed agreed;

    private record Agreed(long wallMs, long atMonotonicMs) {}

    public AgreedClock(Clock machine) {
        this.machine = machine;
    }

    @Override
    public long wallMillis() {
        @Nullable Agreed last = agreed;
        return last == null ? machine.wallMillis() : last.wallMs + machine.monotonicMillis() - last.atMonotonicMs;
    }

    @Override
    public long machineMillis() {
        return machine.wallMillis();
    }

    @Override
    public boolean settled() {
        return settled;
    }

    @Override
    public void unsettle() {
        settled = false;
    }

    @Override
    public void agree(long clusterMs) {
        long own = machine.wallMillis();
        boolean near = Math.abs(own - clusterMs) <= TOLERANCE_MS;
        agreed = new Agreed(near ? own : clusterMs, machine.monotonicMillis());
        settled = true;
    }

    @Override
    public long nanoTime() {
        return machine.nanoTime();
    }
}
