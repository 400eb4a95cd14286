package io.barnabas.system.cluster;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Lets time go by while something else happens: how long a fault lasts is a part of it. */
final class Pause {
    private Pause() {}

    static void of(Duration time) {
        long until = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
