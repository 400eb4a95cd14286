package io.barnabas.ra;

import io.barnabas.log.LogManager;
import io.barnabas.log.LogManagerSettings;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.io.IOException;
import java.util.concurrent.Executor;

/** Opens the logs for a {@link StandalonePort}: the segmented log in production, another in tests. */
@FunctionalInterface
public interface LogOpener {
    /**
     * Opens and recovers the logs; if what it returns is {@link AutoCloseable}, it is closed after the dispatcher.
     *
     * @throws IOException if no directory can be used; the message says which and what to do
     */
    LogManager open(LogManagerSettings settings, Clock clock, Ticker ticker, Executor workers) throws IOException;
}
