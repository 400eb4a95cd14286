package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A server as a child of this process, whose output is printed line by line behind the node's number.
 *
 * <p>Threads: one of its own reads the output; the others are called by the one that started it and by the shutdown hook.
 */
final class NodeProcess {
    /**
     * Ctrl-C goes to every process of the terminal's foreground, but the nodes are to end one after another: they are started deaf to it,
     * which a JVM respects.
     */
    private static final List<String> DEAF_TO_CTRL_C = List.of("sh", "-c", "trap '' INT; exec \"$@\"", "sh");

    private final int node;
    private final Process process;
    private final Thread reader;
    private volatile boolean serves;
    private volatile @Nullable String refusal;

    private NodeProcess(int node, Process process, PrintStream out) {
        this.node = node;
        this.process = process;
        reader = new Thread(() -> readTo(out), "output-of-node-" + node);
        reader.setDaemon(true);
        reader.start();
    }

    static NodeProcess start(int node, ServerProcess server, PrintStream out) {
        List<String> command = new ArrayList<>(DEAF_TO_CTRL_C);
        command.addAll(server.command());
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .start();
            return new NodeProcess(node, process, out);
        } catch (IOException e) {
            throw new Refusal("node " + node + " cannot be started: " + e.getMessage());
        }
    }

    private void readTo(PrintStream out) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                out.println(node + " | " + line);
                if (line.startsWith(ServerProcess.SERVES)) {
                    serves = true;
                } else if (line.startsWith(ServerProcess.CANNOT_START)) {
                    refusal =
                            line.substring(ServerProcess.CANNOT_START.length()).trim();
                }
            }
        } catch (IOException e) {
            out.println(node + " | its output cannot be read: " + e.getMessage());
        }
    }

    int node() {
        return node;
    }

    boolean serves() {
        return serves;
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Waits at most that long for the end of the process. */
    boolean endsWithin(long millis) throws InterruptedException {
        return process.waitFor(millis, TimeUnit.MILLISECONDS);
    }

    /** Why it has ended, in words for an operator; for a process that has. */
    String end() throws InterruptedException {
        reader.join(1_000); // the last line may still be on its way
        @Nullable String told = refusal;
        return told == null ? "exit status " + process.exitValue() : told;
    }

    /** SIGTERM, and its end; after that time SIGKILL. */
    void stop(int patienceSeconds) throws InterruptedException {
        process.toHandle().destroy(); // not its own destroy(), which closes what it still prints into
        if (!process.waitFor(patienceSeconds, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        reader.join(1_000);
    }
}
