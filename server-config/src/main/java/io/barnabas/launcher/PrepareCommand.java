package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;

/**
 * Unpacks the server and makes the JVM's class data archive, from a short run on a directory of its own: later starts take a third of
 * the CPU. The build does it; somebody who moves barnabas.jar elsewhere can do it again.
 */
@Command(
        name = "prepare",
        description = "Makes later starts faster: unpacks the server, archives its classes.",
        mixinStandardHelpOptions = true)
final class PrepareCommand implements Callable<Integer> {
    private static final int PATIENCE_SECONDS = 120;

    @Override
    public Integer call() throws IOException, InterruptedException {
        ClientCommand.ensureClient("prepare");
        RuntimeFolder runtime = RuntimeFolder.ofThisJar();
        if (Files.exists(runtime.classArchive())) {
            System.out.println("already prepared: " + runtime.path());
            return 0;
        }
        System.out.println("A short run on a directory of its own, to archive the classes (half a minute)…");
        Path data = Files.createTempDirectory("barnabas-prepare-");
        try {
            archive(runtime, data);
        } finally {
            RuntimeFolder.delete(data);
        }
        System.out.println("prepared: " + runtime.path());
        return 0;
    }

    private static void archive(RuntimeFolder runtime, Path data) throws IOException, InterruptedException {
        int port = freePort();
        String bootstrap = "127.0.0.1:" + port;
        int httpPort = freePort();
        Settings settings = Settings.read(
                null,
                Map.of(
                        Settings.LOG_DIRS,
                        data.toString(),
                        Settings.LISTENERS,
                        "PLAINTEXT://" + bootstrap,
                        Settings.HTTP_PORT,
                        Integer.toString(httpPort)));
        Path unfinished =
                runtime.path().resolve("unfinished-" + ProcessHandle.current().pid() + ".jsa");
        ServerProcess server = ServerProcess.of(settings, runtime, List.of("-XX:ArchiveClassesAtExit=" + unfinished));
        Path log = data.resolve("barnabas.log");
        Process process = new ProcessBuilder(server.command())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            ServerProcess.awaitServing(process, log);
            Rehearsal.play(bootstrap, httpPort);
        } finally {
            process.destroy();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
        if (!Files.exists(unfinished)) {
            throw new Refusal("the JVM has made no class data archive:\n" + Files.readString(log));
        }
        Files.move(unfinished, runtime.classArchive());
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
