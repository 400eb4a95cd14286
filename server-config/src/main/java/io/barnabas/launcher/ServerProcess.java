package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The server's process: its command line, and the two ways to start it.
 *
 * @param command the whole command line
 */
record ServerProcess(List<String> command) {
    static final String SERVES = "Barnabas serves.";
    static final String CANNOT_START = "barnabas: cannot start:";

    static ServerProcess of(Settings settings, RuntimeFolder runtime) {
        return of(settings, runtime, archiveOptions(runtime));
    }

    /** A program beside the server, with its class path and what the server would be told. */
    static ServerProcess tool(Settings settings, RuntimeFolder runtime, Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>(of(settings, runtime, List.of()).command());
        command.set(command.lastIndexOf("-jar"), "-cp");
        command.add(main.getName());
        command.addAll(arguments);
        return new ServerProcess(command);
    }

    static ServerProcess of(Settings settings, RuntimeFolder runtime, List<String> moreOptions) {
        List<String> command = new ArrayList<>();
        command.add(java());
        List<String> ofOperator = JvmOptions.ofOperator();
        command.addAll(JvmOptions.defaults(ofOperator, Runtime.version(), settings.needsIpv6()));
        command.addAll(moreOptions);
        command.addAll(ofOperator);
        command.add("-Djava.util.logging.config.file=" + runtime.path().resolve("logging.properties"));
        command.add("-Dfish.payara.micro.BootJar=" + runtime.launchJar().toUri());
        command.add("-Dfish.payara.micro.UnpackDir=" + runtime.path());
        command.add("-Dbarnabas.server.data=" + settings.dataDirectory());
        command.add("-Dbarnabas.server.deploy=" + runtime.path().resolve("deploy"));
        command.add("-D" + Settings.HTTP_HOST + "=" + settings.http().host());
        command.add("-D" + Settings.HTTP_PORT + "=" + settings.http().port());
        settings.asSystemProperties().forEach((name, value) -> command.add("-D" + name + "=" + value));
        command.add("-jar");
        command.add(runtime.launchJar().toString());
        return new ServerProcess(command);
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    static List<String> archiveOptions(RuntimeFolder runtime) {
        return Files.exists(runtime.classArchive())
                ? List.of("-XX:SharedArchiveFile=" + runtime.classArchive())
                : List.of();
    }

    /** Puts the server in the place of this process: the same pid, the same terminal, every signal goes to it. */
    void replaceThisProcess() {
        ProcessReplacement.exec(command);
    }

    /**
     * A server in the background.
     *
     * @param line what it says of its addresses
     */
    record Serving(long pid, String line) {}

    /** Starts the server with its output in a file and waits until it serves. */
    Serving startInBackground(Path log) {
        try {
            Files.deleteIfExists(log);
            Process process = new ProcessBuilder(command)
                    .redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            return new Serving(process.pid(), awaitServing(process, log));
        } catch (IOException e) {
            throw new Refusal("the server's process cannot be started: " + e.getMessage());
        }
    }

    /** Waits until it says that it serves, and answers that line. */
    static String awaitServing(Process process, Path log) throws IOException {
        while (true) {
            @Nullable String told = lineWith(log, SERVES);
            if (told != null) {
                return told;
            }
            try {
                if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                    @Nullable String failure = lineWith(log, CANNOT_START);
                    throw new Refusal(
                            failure == null
                                    ? "the server has ended with " + process.exitValue() + ", see " + log
                                    : failure.substring("barnabas: ".length()));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new Refusal("interrupted; the server goes on, pid " + process.pid());
            }
        }
    }

    /** A whole line of that beginning: the last line may still be written. */
    private static @Nullable String lineWith(Path log, String start) throws IOException {
        String text = Files.readString(log, StandardCharsets.ISO_8859_1);
        return text.substring(0, text.lastIndexOf('\n') + 1)
                .lines()
                .filter(line -> line.startsWith(start))
                .findFirst()
                .orElse(null);
    }
}
