package io.barnabas.server;

import java.util.logging.Filter;
import java.util.logging.Level;
import java.util.logging.LogRecord;

/**
 * What the container and the libraries say reaches the terminal only if something is wrong. Levels in {@code logging.properties} alone
 * do not do it: the container sets those of its own loggers again when it boots.
 */
public final class TerminalFilter implements Filter {
    @Override
    public boolean isLoggable(LogRecord event) {
        String logger = event.getLoggerName();
        return event.getLevel().intValue() >= Level.WARNING.intValue()
                || (logger != null && logger.startsWith("io.barnabas"));
    }
}
