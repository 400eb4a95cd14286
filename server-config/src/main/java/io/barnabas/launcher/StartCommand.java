package io.barnabas.launcher;

import io.barnabas.start.Settings;
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
        ServerProcess server = options.prepare(settings);
        Path log = settings.dataDirectory().resolve("barnabas.log");
        ServerProcess.Serving serving = server.startInBackground(log);
        System.out.println(serving.line() + "\nPid " + serving.pid() + ", log " + log
                + "; stop it with: barnabas stop --data " + settings.dataDirectory());
    }
}
