package io.barnabas.ejb;

import io.barnabas.time.Clock;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Whether the disks take what is written, for the heartbeats: a worker looks, whenever one is about to be sent, and the heartbeat tells what
 * the last look found. A look that lasts says that a disk hangs: then they do not.
 *
 * <p>Asked by threads that must not wait for a disk. Safe from any thread.
 */
final class DiskWatch {
    private final BooleanSupplier look;
    private final Executor workers;
    private final Clock clock;
    private final long patienceNanos;
    private boolean writable = true; // all guarded by this
    private boolean due; // a look is under way, or waits for a worker
    private boolean looking;
    private long sinceNanos;

    /**
     * @param look whether the disks can be written; may wait for them
     * @param patienceMs a look that takes longer, once a worker is at it, says that they cannot
     */
    DiskWatch(BooleanSupplier look, Executor workers, Clock clock, long patienceMs) {
        this.look = look;
        this.workers = workers;
        this.clock = clock;
        this.patienceNanos = TimeUnit.MILLISECONDS.toNanos(patienceMs);
    }

    /** What is known now; another look is begun. */
    boolean writable() {
        synchronized (this) {
            if (due) {
                boolean hangs = looking && clock.nanoTime() - sinceNanos >= patienceNanos;
                return writable && !hangs;
            }
            due = true;
        }
        boolean begun = false;
        try {
            workers.execute(this::look);
            begun = true;
        } finally {
            if (!begun) { // the broker stops
                onFound(false);
            }
        }
        synchronized (this) {
            return writable;
        }
    }

    private void look() {
        synchronized (this) {
            looking = true;
            sinceNanos = clock.nanoTime();
        }
        boolean found = false;
        try {
            found = look.getAsBoolean();
        } finally {
            onFound(found);
        }
    }

    private synchronized void onFound(boolean now) {
        writable = now;
        looking = false;
        due = false;
    }
}
