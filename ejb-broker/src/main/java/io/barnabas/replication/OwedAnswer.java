package io.barnabas.replication;

import io.barnabas.time.Clock;

/**
 * Since when a leader's broker owes an answer to the fetches of one fetcher. Changed under the fetcher's monitor, which may be held for as
 * long as a disk takes; asked without it, by any thread.
 */
final class OwedAnswer {
    private static final long NOTHING = -1;

    private final Clock clock;
    private volatile long sinceMs = NOTHING;

    OwedAnswer(Clock clock) {
        this.clock = clock;
    }

    /** Something is asked, or would be if there were a connection. */
    void onAsked() {
        if (sinceMs == NOTHING) {
            sinceMs = clock.monotonicMillis();
        }
    }

    /** @param more whether something else is asked already */
    void onAnswer(boolean more) {
        sinceMs = more ? clock.monotonicMillis() : NOTHING;
    }

    /** Nothing is followed any more that could be asked for. */
    void onNothingFollowed() {
        sinceMs = NOTHING;
    }

    boolean isOwedFor(long ms) {
        long since = sinceMs;
        return since != NOTHING && clock.monotonicMillis() - since >= ms;
    }
}
