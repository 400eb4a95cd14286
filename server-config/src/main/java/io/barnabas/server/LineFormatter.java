package io.barnabas.server;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;

/** One readable line an event: time, level, where, message; a stack trace below it if there is one. */
public final class LineFormatter extends Formatter {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS");

    private final ZoneId zone = ZoneId.systemDefault();

    @Override
    public String format(LogRecord event) {
        StringBuilder line = new StringBuilder(160);
        TIME.formatTo(event.getInstant().atZone(zone), line);
        line.append(' ').append(level(event.getLevel())).append(' ');
        line.append(shortName(event.getLoggerName())).append(": ");
        line.append(formatMessage(event)).append('\n');
        if (event.getThrown() != null) {
            StringWriter trace = new StringWriter();
            event.getThrown().printStackTrace(new PrintWriter(trace));
            line.append(trace);
        }
        return line.toString();
    }

    /** The same line for what is said before the log is set up. */
    static String line(Instant at, String message) {
        return TIME.format(at.atZone(ZoneId.systemDefault())) + " INFO  " + message;
    }

    private static String level(Level level) {
        if (level.intValue() >= Level.SEVERE.intValue()) {
            return "ERROR";
        }
        if (level.intValue() >= Level.WARNING.intValue()) {
            return "WARN ";
        }
        return level.intValue() >= Level.INFO.intValue() ? "INFO " : "DEBUG";
    }

    private static String shortName(@Nullable String logger) {
        return logger == null ? "" : logger.substring(logger.lastIndexOf('.') + 1);
    }
}
