package io.barnabas.launcher;

import io.barnabas.start.ServerPid;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says whether a broker runs on a data directory. */
@Command(
        name = "status",
        description = "Says whether a broker runs on a data directory (exit code 3 if not).",
        mixinStandardHelpOptions = true)
final class StatusCommand implements Callable<Integer> {
    private static final int NOT_RUNNING = 3;

    @Option(
            names = {"-d", "--data"},
            paramLabel = "DIR",
            description = "The data directory (./data).")
    private Path data = Path.of("data");

    @Override
    public Integer call() {
        Optional<Long> pid = ServerPid.of(data);
        System.out.println(pid.map(p -> "running, pid " + p).orElse("not running") + ", data "
                + data.toAbsolutePath().normalize());
        return pid.isPresent() ? 0 : NOT_RUNNING;
    }
}
