package io.barnabas.launcher;

import io.barnabas.server.ForceRecovery;
import io.barnabas.start.Refusal;
import io.barnabas.start.ServerPid;
import io.barnabas.start.Settings;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a stopped node the only voter of its cluster's metadata, when the majority of the voters is lost for good. */
@Command(
        name = "force-recover",
        description = "Goes on with this stopped node alone when a majority of the voters is lost for good. "
                + "Says what may be lost; does it only with --yes.",
        mixinStandardHelpOptions = true)
final class ForceRecoverCommand implements Runnable {
    @Mixin
    private StartOptions options = new StartOptions();

    @Option(names = ForceRecovery.YES, description = "Do it. What only the lost voters knew is lost.")
    private boolean yes;

    @Override
    public void run() {
        Settings settings = options.settings();
        ServerPid.of(settings.dataDirectory()).ifPresent(pid -> {
            throw new Refusal("a broker runs on " + settings.dataDirectory() + ", pid " + pid + "; stop it first");
        });
        RuntimeFolder runtime = RuntimeFolder.ofThisJar();
        ServerProcess.tool(settings, runtime, ForceRecovery.class, yes ? List.of(ForceRecovery.YES) : List.of())
                .replaceThisProcess();
    }
}
