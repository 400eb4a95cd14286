package io.barnabas.replication;

import io.barnabas.time.Clock;

/** Since when a leader's broker owes an answer to the fetches of one fetcher, which guards this. */
final class OwedAnswer {
    private final Clock clock;
    private boolean owed;
    private long sinceMs;

    OwedAnswer(Clock clock) {
        this.clock = clock;
    }

    /** Something is asked, or would be if there were a connection. */
    void onAsked() {
        if (!owed) {
            owed = true;
            sinceMs = clock.monotonicMillis();
        }
    }

    /** @param more whether something else is asked already */
    void onAnswer(boolean more) {
        owed = more;
        sinceMs = clock.monotonicMillis();
    }

    boolean isOwedFor(long ms) {
        return owed && clock.monotonicMillis() - sinceMs >= ms;
    }
}
