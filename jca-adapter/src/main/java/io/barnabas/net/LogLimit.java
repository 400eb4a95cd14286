package io.barnabas.net;

import io.barnabas.time.Clock;
import java.util.concurrent.atomic.AtomicLong;

/** Lets {@value #PER_SECOND} lines a second through, so that bad clients cannot fill the disk with log. Safe from any thread. */
final class LogLimit {
    private static final int PER_SECOND = 10;

    private final Clock clock;
    private final AtomicLong secondAndCount = new AtomicLong();

    LogLimit(Clock clock) {
        this.clock = clock;
    }

    boolean allows() {
        long second = (clock.monotonicMillis() / 1000) << 8;
        long last = secondAndCount.get();
        if ((last & ~0xffL) != second) {
            secondAndCount.compareAndSet(last, second | 1);
            return true;
        }
        return (last & 0xff) < PER_SECOND && secondAndCount.compareAndSet(last, last + 1);
    }
}
