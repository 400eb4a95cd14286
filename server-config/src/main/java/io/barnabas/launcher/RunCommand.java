package io.barnabas.launcher;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Runs a broker in the foreground: this process becomes the server's. */
@Command(name = "run", description = "Runs a broker in the foreground.", mixinStandardHelpOptions = true)
final class RunCommand implements Runnable {
    @Mixin
    private StartOptions options = new StartOptions();

    @Override
    public void run() {
        Settings settings = options.settings();
        Preflight.check(settings);
        ServerProcess server = ServerProcess.of(settings, RuntimeFolder.ofThisJar());
        System.out.println("Barnabas " + Version.ofJar() + " starts. Data: " + settings.dataDirectory());
        ServerPid.write(settings.dataDirectory(), ProcessHandle.current().pid());
        server.replaceThisProcess();
    }
}
