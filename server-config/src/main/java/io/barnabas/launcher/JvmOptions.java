package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The server's JVM options: ours, then the operator's, which win. */
final class JvmOptions {
    /** Chosen by start-up time and idle memory: docs/performance.md. */
    static final List<String> DEFAULTS = List.of(
            "-XX:+UseSerialGC",
            "-Xms64m",
            "-Xmx1g",
            "-XX:MaxMetaspaceSize=512m",
            "-XX:+ExitOnOutOfMemoryError",
            "-Xshare:auto",
            "-Xlog:cds=off",
            "-Xlog:cds+dynamic=off",
            "-Djava.awt.headless=true",
            "-Djava.net.preferIPv4Stack=true");

    private JvmOptions() {}

    /** Those before {@code -jar} on this process's command line, and those in {@code BARNABAS_OPTS}. */
    static List<String> ofOperator() {
        List<String> options = new ArrayList<>();
        for (String argument : ProcessHandle.current().info().arguments().orElse(new String[0])) {
            if (argument.equals("-jar") || argument.equals("-cp")) {
                break;
            }
            options.add(argument);
        }
        String named = System.getenv("BARNABAS_OPTS");
        if (named != null && !named.isBlank()) {
            options.addAll(Arrays.asList(named.trim().split("\\s+")));
        }
        return options;
    }
}
