package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import io.barnabas.start.ServerPid;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Stops the broker on a data directory, in order: sockets, broker, log. */
@Command(name = "stop", description = "Stops the broker on a data directory.", mixinStandardHelpOptions = true)
final class StopCommand implements Runnable {
    private static final int PATIENCE_SECONDS = 90;

    @Option(
            names = {"-d", "--data"},
            paramLabel = "DIR",
            description = "The data directory (./data).")
    private Path data = Path.of("data");

    @Override
    public void run() {
        ProcessHandle server = ServerPid.of(data)
                .flatMap(ProcessHandle::of)
                .orElseThrow(() -> new Refusal("no broker runs on "
                        + data.toAbsolutePath().normalize() + "; --data names another data directory"));
        if (!server.destroy() && server.isAlive()) {
            throw new Refusal("pid " + server.pid() + " cannot be stopped by this user");
        }
        try {
            server.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw new Refusal("pid " + server.pid() + " has not ended after " + PATIENCE_SECONDS + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        System.out.println("Barnabas has stopped, pid " + server.pid());
    }
}
