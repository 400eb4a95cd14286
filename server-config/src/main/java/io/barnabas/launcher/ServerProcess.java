package io.barnabas.launcher;

import java.io.File;
import java.io.IOException;
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
 * @param data the directory that holds what belongs to the process
 */
record ServerProcess(List<String> command, Path data) {
    private static final String SERVES = "Barnabas serves.";
    private static final String CANNOT_START = "barnabas: cannot start:";

    static ServerProcess of(Settings settings, RuntimeFolder runtime) {
        return of(settings, runtime, archiveOptions(runtime));
    }

    static ServerProcess of(Settings settings, RuntimeFolder runtime, List<String> archiveOptions) {
        Path root = freshRoot(settings.dataDirectory());
        List<String> command = new ArrayList<>();
        command.add(java());
        List<String> ofOperator = JvmOptions.ofOperator();
        command.addAll(JvmOptions.defaults(ofOperator, Runtime.version()));
        command.addAll(archiveOptions);
        command.addAll(ofOperator);
        command.add("-Djava.util.logging.config.file=" + runtime.path().resolve("logging.properties"));
        command.add("-Dfish.payara.micro.BootJar=" + runtime.launchJar().toUri());
        command.add("-Dfish.payara.micro.UnpackDir=" + runtime.path());
        command.add("-Dbarnabas.server.root=" + root);
        command.add("-Dbarnabas.server.deploy=" + runtime.path().resolve("deploy"));
        command.add("-D" + Settings.HTTP_HOST + "=" + settings.httpHost());
        command.add("-D" + Settings.HTTP_PORT + "=" + settings.httpPort());
        if (settings.file() != null) {
            command.add("-Dbarnabas.config=" + settings.file());
        }
        List<String> set = new ArrayList<>();
        settings.set().forEach((key, value) -> set.add(key + "=" + value));
        command.add("-Dbarnabas.set=" + String.join("\n", set));
        command.add("-jar");
        command.add(runtime.launchJar().toString());
        return new ServerProcess(command, settings.dataDirectory());
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static List<String> archiveOptions(RuntimeFolder runtime) {
        return Files.exists(runtime.classArchive())
                ? List.of("-XX:SharedArchiveFile=" + runtime.classArchive())
                : List.of();
    }

    /** The container keeps nothing from one start to the next. */
    private static Path freshRoot(Path data) {
        Path root = data.resolve("server");
        try {
            RuntimeFolder.delete(root);
            Files.createDirectories(root);
        } catch (IOException e) {
            throw new Refusal("the folder " + root + " cannot be made: " + e);
        }
        return root;
    }

    /** Puts the server in the place of this process: the same pid, the same terminal, every signal goes to it. */
    void replaceThisProcess() {
        ProcessReplacement.exec(command);
    }

    /** Starts the server with its output in a file and waits until it serves. */
    long startInBackground(Path log) {
        try {
            Files.deleteIfExists(log);
            Process process = new ProcessBuilder(command)
                    .redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            ServerPid.write(data, process.pid());
            awaitServing(process, log);
            return process.pid();
        } catch (IOException e) {
            throw new Refusal("the server's process cannot be started: " + e);
        }
    }

    static void awaitServing(Process process, Path log) throws IOException {
        while (true) {
            @Nullable String told = lineWith(log, SERVES);
            if (told != null) {
                return;
            }
            try {
                if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                    String failure = lineWith(log, CANNOT_START);
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

    private static @Nullable String lineWith(Path log, String start) throws IOException {
        try (var lines = Files.lines(log)) {
            return lines.filter(line -> line.startsWith(start)).findFirst().orElse(null);
        }
    }
}
