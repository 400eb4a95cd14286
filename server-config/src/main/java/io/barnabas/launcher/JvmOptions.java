package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The server's JVM options: ours, then the operator's, which win. Where the JVM would refuse two of a kind, ours give way.
 *
 * <p>Ours are chosen by what a start and an idle broker cost (docs/performance.md): the young generation and the committed heap are as
 * large as a start needs without a full collection, and grow with the load up to {@code -Xmx}.
 */
final class JvmOptions {
    private static final List<String> ALWAYS = List.of(
            "-Xmx1g",
            // Without it the start is interrupted by collections that only find that the metaspace must grow.
            "-XX:MetaspaceSize=64m",
            "-XX:MaxMetaspaceSize=512m",
            "-XX:+ExitOnOutOfMemoryError",
            "-Xshare:auto",
            "-Xlog:cds=off",
            "-Xlog:cds+dynamic=off",
            "-Djava.awt.headless=true",
            // With more threads the container's services, started at once, at times fail each other:
            // WouldBlockException of HazelcastCore.
            "-Dorg.glassfish.startupThreadPolicy=USE_NO_THREADS");

    /**
     * Whoever is reached by IPv4 alone opens no socket of IPv6: a kernel need not have it, and there is one way less to be reached.
     * Always said, because the container would say it for us.
     */
    private static final String IPV4_ALONE = "-Djava.net.preferIPv4Stack=";

    /** The least memory and the least work of the JVM's collectors, and pauses of a few milliseconds: the data path makes little garbage. */
    private static final String COLLECTOR = "-XX:+UseSerialGC";

    private static final List<String> FIRST_HEAP = List.of("-Xms160m", "-XX:NewSize=24m");

    /** The compiler takes 60 MB from malloc while the server starts; glibc keeps what is freed unless it is told to give it back. */
    private static final String TRIM = "-XX:TrimNativeHeapInterval=5000";

    private static final Pattern OF_COLLECTOR = Pattern.compile("-XX:[+-]Use\\w+GC");
    private static final Pattern OF_HEAP =
            Pattern.compile("-Xm[sxn].*|-XX:(Initial|Max|Min)?(Heap|New|Old|RAM)(Size|Percentage|Ratio)?=.*");

    private static final Pattern ROOMY = Pattern.compile("-Xmx(\\d+[gG]|\\d{4,}[mM])");

    private JvmOptions() {}

    /**
     * Ours, for this JVM, beside those of an operator.
     *
     * @param ipv6 whether a socket of IPv6 is asked for
     */
    static List<String> defaults(List<String> ofOperator, Runtime.Version jvm, boolean ipv6) {
        List<String> options = new ArrayList<>();
        if (ofOperator.stream().noneMatch(OF_COLLECTOR.asMatchPredicate())) {
            options.add(COLLECTOR);
        }
        if (ofOperator.stream()
                .noneMatch(
                        OF_HEAP.asMatchPredicate().and(ROOMY.asMatchPredicate().negate()))) {
            options.addAll(FIRST_HEAP);
        }
        if (trimsNativeHeap(jvm)) {
            options.add(TRIM);
        }
        options.addAll(ALWAYS);
        options.add(IPV4_ALONE + !ipv6);
        return options;
    }

    /** Whether the JVM knows {@link #TRIM}: one that does not would not start. */
    private static boolean trimsNativeHeap(Runtime.Version jvm) {
        return switch (jvm.feature()) {
            case 17 -> jvm.update() >= 9;
            case 21 -> jvm.update() >= 1;
            default -> jvm.feature() > 21;
        };
    }

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
