package io.barnabas.launcher;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The main class of barnabas.jar. Without a command it runs a broker with no configuration at all.
 *
 * <p>{@code run} replaces this process by the server's ({@link ServerProcess}), so it is a launcher only until then.
 */
@Command(
        name = "barnabas",
        description = "An event-streaming platform that speaks the Apache Kafka protocol.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            RunCommand.class,
            StartCommand.class,
            StopCommand.class,
            StatusCommand.class,
            TopicsCommand.class,
            GroupsCommand.class,
            PrepareCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Barnabas implements Runnable {
    private Barnabas() {}

    /** Exit codes: 0 done, 1 could not (one line on the standard error says why), 2 wrong arguments. */
    public static void main(String[] args) {
        CommandLine line = new CommandLine(new Barnabas()).setExecutionExceptionHandler((e, command, parsed) -> {
            command.getErr().println("barnabas: " + (e instanceof Refusal ? e.getMessage() : e.toString()));
            return 1;
        });
        String[] given = args.length == 0 ? new String[] {"run"} : args;
        System.exit(line.execute(given));
    }

    @Override
    public void run() {
        throw new Refusal("no command given; try barnabas --help");
    }
}
