package io.barnabas.system;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** What befalls the broker of the workload, one thing after another, each some time after the last is over. */
final class Faults {
    /** A round of faults has each kind as often as it stands here. */
    private static final List<Kind> ROUND =
            List.of(Kind.RESET, Kind.KILL, Kind.RESET, Kind.STOP, Kind.RESET, Kind.RESET, Kind.LONG_STOP);

    enum Kind {
        /** All connections are reset. */
        RESET,
        /** SIGKILL, and another start. */
        KILL,
        /** SIGSTOP for less than the clients' patience. */
        STOP,
        /** SIGSTOP for longer than a request and a member's session last. */
        LONG_STOP
    }

    private final BarnabasProcess broker;
    private final LossyProxy proxy;
    private final Random random;
    private final List<Kind> due = new ArrayList<>();
    private final Map<Kind, Integer> done = new EnumMap<>(Kind.class);

    Faults(BarnabasProcess broker, LossyProxy proxy, long seed) {
        this.broker = broker;
        this.proxy = proxy;
        this.random = new Random(seed);
    }

    /** Lets the broker be for some seconds, then does the next thing to it, and returns when it serves again. */
    void next() throws Exception {
        pause(1_000, 4_000);
        if (due.isEmpty()) {
            due.addAll(ROUND);
            Collections.shuffle(due, random);
        }
        Kind kind = due.remove(0);
        switch (kind) {
            case RESET -> proxy.resetAll();
            case KILL -> {
                broker.kill();
                pause(0, 500);
                broker.start();
            }
            case STOP -> freeze(500, 4_000);
            case LONG_STOP -> freeze(11_000, 12_000);
        }
        done.merge(kind, 1, Integer::sum);
    }

    private void freeze(int fromMs, int toMs) throws Exception {
        broker.freeze();
        try {
            pause(fromMs, toMs);
        } finally {
            broker.thaw();
        }
    }

    private void pause(int fromMs, int toMs) {
        long until = System.nanoTime() + 1_000_000L * (fromMs + random.nextInt(toMs - fromMs));
        for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    /** How often each has been. */
    Map<Kind, Integer> done() {
        return done;
    }
}
