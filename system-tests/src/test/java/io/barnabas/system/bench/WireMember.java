package io.barnabas.system.bench;

import java.io.IOException;
import java.util.BitSet;
import org.apache.kafka.common.protocol.Errors;

/** A member of a group, as a stock client behaves, on a connection of its own and without any fetching. Confined to its loop's thread. */
abstract class WireMember {
    private static final int RETRY_MS = 50;

    final WireLoop.Connection connection;
    final WireGroup group;
    /** What it has at present. */
    BitSet owned = new BitSet();
    /** Its member epoch or generation: 0 before it has joined. */
    int epoch;

    private final WireLoop loop;
    private int timerCount;
    private int fixedIntervalMs;

    WireMember(WireLoop loop, WireGroup group) throws IOException {
        this.loop = loop;
        this.group = group;
        this.connection = loop.connect();
    }

    /** Begins to join. */
    abstract void join();

    /** Leaves, and calls {@code onLeft} when that is answered. */
    abstract void leave(Runnable onLeft);

    /** Says that it is there, and goes on as the answer says. */
    abstract void heartbeat();

    /** Whether the member has done all that it was told. */
    abstract boolean isSteady();

    /** From now on a heartbeat is sent so often, whatever the protocol says. */
    void beatEvery(int intervalMs, int firstMs) {
        fixedIntervalMs = intervalMs;
        schedule(firstMs, this::heartbeat);
    }

    final void beatIn(int intervalMs) {
        schedule(fixedIntervalMs > 0 ? fixedIntervalMs : intervalMs, this::heartbeat);
    }

    /** In place of what was to come next. */
    private void schedule(int delayMs, Runnable action) {
        int mine = ++timerCount;
        loop.after(delayMs, () -> {
            if (mine == timerCount) {
                action.run();
            }
        });
    }

    final void stop() {
        timerCount++;
    }

    /** True if a request is to be sent again, which {@code again} does after a pause. */
    final boolean retries(Errors error, Runnable again) {
        switch (error) {
            case COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR -> {
                schedule(RETRY_MS, again);
                return true;
            }
            default -> {
                return false;
            }
        }
    }

    static void check(short code) {
        if (code != 0) {
            throw Errors.forCode(code).exception();
        }
    }
}
