package io.barnabas.launcher;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists topics, or describes those that are named. It does not mention Kafka's client, which may not be on the class path yet. */
@Command(name = "topics", description = "Lists topics, or describes those named.", mixinStandardHelpOptions = true)
final class TopicsCommand implements Runnable {
    @Option(
            names = {"-b", "--bootstrap"},
            paramLabel = "HOST:PORT",
            description = "The broker (127.0.0.1:9092).")
    private String bootstrap = "127.0.0.1:9092";

    @Option(names = "--internal", description = "Internal topics too.")
    private boolean internal;

    @Parameters(paramLabel = "TOPIC", description = "Topics to describe.")
    private List<String> topics = new ArrayList<>();

    @Override
    public void run() {
        List<String> again = new ArrayList<>(List.of("topics", "--bootstrap", bootstrap));
        if (internal) {
            again.add("--internal");
        }
        again.addAll(topics);
        ClientCommand.ensureClient(again.toArray(new String[0]));
        TopicReport.print(bootstrap, topics, internal);
    }
}
