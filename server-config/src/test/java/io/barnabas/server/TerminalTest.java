package io.barnabas.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

/** What reaches the terminal. */
class TerminalTest {
    @Test
    void the_container_speaks_only_when_something_is_wrong() {
        assertThat(passes("jakarta.enterprise.web", Level.INFO)).isFalse();
        assertThat(passes(null, Level.INFO)).isFalse();
        assertThat(passes("jakarta.enterprise.web", Level.WARNING)).isTrue();
        assertThat(passes("io.barnabas.net.SocketServer", Level.INFO)).isTrue();
    }

    private static boolean passes(String logger, Level level) {
        LogRecord event = new LogRecord(level, "said");
        event.setLoggerName(logger);
        return new TerminalFilter().isLoggable(event);
    }

    @Test
    void the_containers_last_line_past_every_log_is_dropped_and_nothing_else() {
        PrintStream before = System.out;
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        System.setOut(new PrintStream(shown, true, StandardCharsets.UTF_8));
        try {
            Terminal.install();
            System.out.println("JdbcRuntimeExtension,  getAllSystemRAResourcesAndPools = []");
            System.out.println("Barnabas serves.");
            System.out.println((String) null);
        } finally {
            System.setOut(before);
        }
        assertThat(shown.toString(StandardCharsets.UTF_8).lines()).containsExactly("Barnabas serves.", "null");
    }

    @Test
    void an_event_is_one_readable_line() {
        LogRecord event = new LogRecord(Level.WARNING, "disk {0} is full");
        event.setParameters(new Object[] {"a"});
        event.setLoggerName("io.barnabas.log.DiskDirectory");

        assertThat(new LineFormatter().format(event))
                .matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3} WARN  DiskDirectory: disk a is full\n");
    }
}
