package io.barnabas.replication;

import io.barnabas.port.PeerConnection;
import io.barnabas.time.Ticker;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a fetcher ask over another connection when nothing is heard over the one that it has. While a network is cut TCP tries again ever
 * more seldom, and the follower, who waits for an answer only, does not try at all: after the cut the answer would come with the leader's
 * next try, up to half a minute later. A connection that has just been begun is tried at once.
 *
 * <p>What counts are looks, a second apart, each after the connection's event loop has gone round: a process that stood still, or a loop
 * that was busy with a slow disk, is not taken for a silence of the leader. An answer that is still arriving is heard. A leader that is
 * there and slow is given twice the time with every connection, so that it will answer one, and that one which stands still is not
 * given many.
 *
 * <p>Thread: one look at a time, on the event loop of the connection that is looked at.
 */
final class ConnectionWatch {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionWatch.class);
    private static final int LOOK_MS = 1_000;
    private static final int LOOKS_AT_FIRST = 3;
    private static final int LOOKS_MAX = 12;

    private final ReplicaFetcher fetcher;
    private final Ticker ticker;
    private final int looksOfWait;
    private int looksAllowed = LOOKS_AT_FIRST;
    private int silentLooks;
    private @Nullable PeerConnection lookedAt;

    /** @param fetchWaitMs {@code replica.fetch.wait.max.ms}: so long the leader may say nothing */
    ConnectionWatch(ReplicaFetcher fetcher, Ticker ticker, int fetchWaitMs) {
        this.fetcher = fetcher;
        this.ticker = ticker;
        this.looksOfWait = fetchWaitMs / LOOK_MS;
    }

    /** Looks from now on, until the fetcher is closed. */
    void begin() {
        ticker.after(LOOK_MS, this::next);
    }

    private void next() {
        @Nullable PeerConnection over = fetcher.connection();
        if (fetcher.isClosed()) {
            return;
        }
        if (over == null) {
            begin();
            return;
        }
        try {
            over.eventLoop().execute(() -> {
                look(over);
                begin();
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop has ended", e);
        }
    }

    private void look(PeerConnection over) {
        if (over.hasHeardWithin(LOOK_MS)) {
            looksAllowed = LOOKS_AT_FIRST;
            silentLooks = 0;
        } else if (over != lookedAt || !fetcher.waitsOn(over)) {
            lookedAt = over;
            silentLooks = 0;
        } else if (++silentLooks >= looksAllowed + looksOfWait) {
            silentLooks = 0;
            looksAllowed = Math.min(2 * looksAllowed, LOOKS_MAX);
            fetcher.leave(over);
        }
    }
}
