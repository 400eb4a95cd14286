package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

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
            ClusterCommand.class,
            ClusterKeyCommand.class,
            StatusCommand.class,
            TopicsCommand.class,
            GroupsCommand.class,
            PrepareCommand.class,
            AddVoterCommand.class,
            ForceRecoverCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Barnabas implements Runnable {
    private static final int COULD_NOT = 1;
    private static final int WRONG_ARGUMENTS = 2;
    private static final Set<String> ABOUT = Set.of("-h", "--help", "-V", "--version");

    private Barnabas() {}

    /** Exit codes: 0 done, 1 could not (one line on the standard error says why), 2 wrong arguments. */
    public static void main(String[] args) {
        System.exit(execute(args));
    }

    static int execute(String... args) {
        return new CommandLine(new Barnabas())
                .setExecutionExceptionHandler((e, command, parsed) -> refuse(command, message(e), COULD_NOT))
                .setParameterExceptionHandler((e, parsed) -> refuse(e.getCommandLine(), message(e), WRONG_ARGUMENTS))
                .execute(withCommand(args));
    }

    /** Options alone are options of {@code run}, but for those that ask about the program. */
    private static String[] withCommand(String... args) {
        boolean named = args.length > 0 && (!args[0].startsWith("-") || ABOUT.contains(args[0]));
        return named ? args : Stream.concat(Stream.of("run"), Stream.of(args)).toArray(String[]::new);
    }

    private static int refuse(CommandLine command, String message, int code) {
        command.getErr().println("barnabas: " + message);
        command.getErr().flush();
        return code;
    }

    private static String message(Exception e) {
        if (e instanceof Refusal) {
            return String.valueOf(e.getMessage());
        }
        return e instanceof ParameterException wrong
                ? wrong.getMessage() + "; see "
                        + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help"
                : "unexpected: " + e;
    }

    @Override
    public void run() {
        throw new Refusal("no command given; see barnabas --help");
    }
}
