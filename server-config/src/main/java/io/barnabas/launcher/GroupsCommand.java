package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists groups, or the committed offsets and the lag of those that are named. It does not mention Kafka's client, which may not be on the class path yet. */
@Command(name = "groups", description = "Lists groups, or the lag of those named.", mixinStandardHelpOptions = true)
final class GroupsCommand implements Runnable {
    @Option(
            names = {"-b", "--bootstrap"},
            paramLabel = "HOST:PORT",
            description = "The broker (127.0.0.1:9092).")
    private String bootstrap = "127.0.0.1:9092";

    @Parameters(paramLabel = "GROUP", description = "Groups to describe.")
    private List<String> groups = new ArrayList<>();

    @Override
    public void run() {
        List<String> again = new ArrayList<>(List.of("groups", "--bootstrap", bootstrap));
        again.addAll(groups);
        ClientCommand.ensureClient(again.toArray(new String[0]));
        GroupReport.print(bootstrap, groups);
    }
}
