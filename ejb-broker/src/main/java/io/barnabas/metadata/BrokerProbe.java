package io.barnabas.metadata;

import java.util.concurrent.CompletableFuture;

/**
 * Looks whether another broker's process is there, by a connection of its own. For the controller, which has a hint that it is not: a
 * connection that ended, or silence, may have many reasons on a busy machine. Safe from any thread.
 */
@FunctionalInterface
public interface BrokerProbe {
    /** Finds out nothing. */
    BrokerProbe NONE = broker -> CompletableFuture.completedFuture(Finding.UNKNOWN);

    /** What there is where a broker is said to be. */
    enum Finding {
        /** Its machine says that nobody listens there: fencing it keeps nobody from work. */
        GONE,
        /** It has answered. That it can work is for its heartbeats to say. */
        THERE,
        /** Neither. */
        UNKNOWN
    }

    /** Looks once. @return never fails; completed on a thread that must not be blocked */
    CompletableFuture<Finding> look(int broker);
}
