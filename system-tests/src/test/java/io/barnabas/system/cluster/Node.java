package io.barnabas.system.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One process of a cluster, which may die and come back on the same place. Used by one thread. */
final class Node {
    private static final int PATIENCE_SECONDS = 120;

    private final Place place;
    private List<String> command;
    private final Optional<Disk> disk;
    private final Optional<Unreliable> unreliable;
    private final Path output;
    private Process process;
    private long printedBefore;

    /** @param needs what it is to run on */
    Node(Place place, List<String> command, Set<Need> needs) throws IOException {
        this.place = place;
        disk = needs.contains(Need.DISKS) ? Optional.of(Disk.make(place.disk())) : Optional.empty();
        unreliable = needs.contains(Need.UNRELIABILITY)
                ? Optional.of(new Unreliable(place.directory().resolve("unreliable"), place.disk()))
                : Optional.empty();
        Files.createDirectories(place.data());
        willRun(command);
        output = place.directory().resolve("out");
    }

    /** What its next start is. */
    void willRun(List<String> program) {
        command = new ArrayList<>(place.entrance());
        command.addAll(program);
    }

    int id() {
        return place.id();
    }

    Place place() {
        return place;
    }

    Disk disk() {
        return disk.orElseThrow();
    }

    Unreliable unreliable() {
        return unreliable.orElseThrow();
    }

    /** Starts the process and does not wait. */
    void launch() throws IOException {
        printedBefore = Files.exists(output) ? Files.size(output) : 0;
        ProcessBuilder builder = new ProcessBuilder(command);
        if (unreliable.isPresent()) {
            builder.environment().putAll(unreliable.get().environment());
        }
        process = builder.directory(place.directory().toFile())
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

    /** How many files and connections the process may have open, in the form of {@code prlimit}: SOFT:HARD. */
    String openFilesLimit() {
        return Command.run(prlimit("--nofile", "--output", "SOFT,HARD", "--noheadings", "--raw"))
                .trim()
                .replaceAll("\\s+", ":");
    }

    void limitOpenFiles(String limit) {
        Command.run(prlimit("--nofile=" + limit));
    }

    private List<String> prlimit(String... more) {
        List<String> whole = new ArrayList<>(List.of("prlimit", "--pid", Long.toString(process.pid())));
        whole.addAll(List.of(more));
        return whole;
    }

    /** Loses all that it had, as with a new disk. */
    void loseData() throws IOException {
        try (Stream<Path> all = Files.walk(place.disk())) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                if (each.startsWith(place.data())) {
                    Files.delete(each);
                }
            }
        }
        Files.createDirectories(place.data());
    }

    /** Whatever was done to its disk and clock is undone, but for what is lost; for a process that does not run. */
    void makeWell() throws IOException {
        if (disk.isPresent()) {
            disk.get().repair();
            disk.get().free();
        }
        if (unreliable.isPresent()) {
            unreliable.get().failForces(false);
            unreliable.get().failWrites(false);
            unreliable.get().stepClock(Duration.ZERO);
        }
    }

    /** Gives back what it ran on. */
    void close() throws IOException {
        if (disk.isPresent()) {
            disk.get().remove();
        }
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
