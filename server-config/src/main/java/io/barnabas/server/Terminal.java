package io.barnabas.server;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** The standard output without the one line that the container prints there, past every log, when it stops. */
final class Terminal extends PrintStream {
    private static final String CHATTER = "JdbcRuntimeExtension";

    private Terminal(PrintStream out) {
        super(out, true);
    }

    /** Puts itself in the place of the standard output. */
    static void install() {
        System.setOut(new Terminal(System.out));
    }

    @Override
    public void println(@Nullable String line) {
        if (line == null || !line.startsWith(CHATTER)) {
            super.println(line);
        }
    }
}
