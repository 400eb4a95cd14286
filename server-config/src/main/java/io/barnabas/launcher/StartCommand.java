package io.barnabas.launcher;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Starts a broker in the background and waits until it serves or has given up. */
@Command(name = "start", description = "Starts a broker in the background.", mixinStandardHelpOptions = true)
final class StartCommand implements Runnable {
    @Mixin
    private StartOptions options = new StartOptions();

    @Override
    public void run() {
        Settings settings = options.settings();
        Preflight.check(settings);
        Path log = settings.dataDirectory().resolve("barnabas.log");
        ServerProcess server = ServerProcess.of(settings, RuntimeFolder.ofThisJar());
        long pid = server.startInBackground(log);
        System.out.println("Barnabas serves, pid " + pid + ", log " + log);
    }
}
