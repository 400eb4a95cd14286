package io.barnabas.launcher;

import io.barnabas.start.Refusal;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.AddRaftVoterOptions;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.DuplicateVoterException;

/** Asks a cluster for the vote of a node, whose id and directory's id it reads where the node has written them (AddRaftVoter, KIP-853). */
final class VoterAdmission {
    /** The node has to catch up with the metadata before it votes. */
    private static final int PATIENCE_MS = 60_000;

    private VoterAdmission() {}

    static void ask(String bootstrap, Path data) {
        Path file = data.resolve("metadata").resolve("meta.properties");
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(in);
        } catch (IOException e) {
            throw new Refusal("no node has written " + file + "; --data names another data directory");
        }
        int node = Integer.parseInt(properties.getProperty("node.id", "-1"));
        String directory = properties.getProperty("directory.id", "");
        try (Admin admin = BrokerAdmin.connect(bootstrap)) {
            AddRaftVoterOptions options = new AddRaftVoterOptions();
            options.timeoutMs(PATIENCE_MS);
            admin.addRaftVoter(node, Uuid.fromString(directory), Set.of(), options)
                    .all()
                    .get();
        } catch (ExecutionException e) {
            if (!votesAlready(e, directory)) {
                throw BrokerAdmin.refusal(bootstrap, e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refusal("interrupted; the vote may be given all the same");
        }
        System.out.println("Node " + node + " votes on the metadata with directory " + directory);
    }

    /** The answer to a first request may have come too late for the client, which then asks again. */
    private static boolean votesAlready(ExecutionException e, String directory) {
        return e.getCause() instanceof DuplicateVoterException
                && String.valueOf(e.getCause().getMessage()).contains(directory);
    }
}
