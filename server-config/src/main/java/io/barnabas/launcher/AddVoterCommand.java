package io.barnabas.launcher;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Gives a node that runs on this machine a vote on the metadata: after its data directory was lost, or others recovered the quorum by
 * force. It does not mention Kafka's client, which may not be on the class path yet.
 */
@Command(
        name = "add-voter",
        description = "Gives a node of this machine, which runs on a new directory, its vote on the metadata again.",
        mixinStandardHelpOptions = true)
final class AddVoterCommand implements Runnable {
    @Option(
            names = {"-b", "--bootstrap"},
            paramLabel = "HOST:PORT",
            description = "A broker of the cluster (127.0.0.1:9092).")
    private String bootstrap = "127.0.0.1:9092";

    @Option(
            names = {"-d", "--data"},
            paramLabel = "DIR",
            description = "The node's first data directory (./data).")
    private Path data = Path.of("data");

    @Override
    public void run() {
        Path absolute = data.toAbsolutePath().normalize();
        List<String> again = new ArrayList<>(List.of("add-voter", "--bootstrap", bootstrap));
        again.addAll(List.of("--data", absolute.toString()));
        ClientCommand.ensureClient(again.toArray(new String[0]));
        VoterAdmission.ask(bootstrap, absolute);
    }
}
