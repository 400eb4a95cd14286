package io.barnabas.system.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One process of a cluster, which may die and come back on the same place. Used by one thread. */
final class Node {
    private static final int PATIENCE_SECONDS = 120;

    private final Place place;
    private final List<String> command;
    private final Path output;
    private Process process;
    private long printedBefore;

    Node(Place place, List<String> command) throws IOException {
        this.place = place;
        this.command = new ArrayList<>(place.entrance());
        this.command.addAll(command);
        Files.createDirectories(place.directory());
        output = place.directory().resolve("out");
    }

    int id() {
        return place.id();
    }

    Place place() {
        return place;
    }

    /** Starts the process and does not wait. */
    void launch() throws IOException {
        printedBefore = Files.exists(output) ? Files.size(output) : 0;
        process = new ProcessBuilder(command)
                .directory(place.directory().toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
                .start();
    }

    boolean alive() {
        return process != null && process.isAlive();
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** SIGTERM, and waits for the end. */
    void stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            kill();
            throw new IllegalStateException("node " + id() + " does not stop, see " + output);
        }
    }

    /** SIGSTOP: the process keeps its sockets and answers nothing. */
    void freeze() throws IOException, InterruptedException {
        signal("-STOP");
    }

    /** SIGCONT. */
    void thaw() throws IOException, InterruptedException {
        signal("-CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", signal, Long.toString(process.pid()))
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
            throw new IllegalStateException("no signal " + signal + " to node " + id());
        }
    }

    /** What the process has printed since it was launched last. */
    String outputOfThisStart() {
        try {
            byte[] all = Files.readAllBytes(output);
            int from = (int) Math.min(printedBefore, all.length);
            return new String(all, from, all.length - from, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return "node " + id();
    }
}
