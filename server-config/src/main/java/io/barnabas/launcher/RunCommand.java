package io.barnabas.launcher;

import io.barnabas.start.Settings;
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
        ServerProcess server = options.prepare(settings);
        server.replaceThisProcess();
    }
}
