package io.barnabas.system.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The records of one partition as they lie on the disks of all nodes: the same bytes everywhere, when nobody writes and all are in sync. */
final class ReplicaFiles {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private ReplicaFiles() {}

    /** How many nodes have other bytes than the first, be it after a while. */
    static int differing(Cluster cluster, String topic) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            List<String> digests = cluster.nodes().stream()
                    .map(node -> digest(node.place().data().resolve(topic + "-0")))
                    .toList();
            int differing = (int) digests.stream()
                    .filter(each -> !each.equals(digests.get(0)))
                    .count();
            if (differing == 0 || System.nanoTime() > until) {
                return differing;
            }
            Pause.of(Duration.ofMillis(200));
        }
    }

    private static String digest(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files.filter(each -> each.toString().endsWith(".log"))
                    .sorted()
                    .toList()) {
                try (InputStream in = Files.newInputStream(file)) {
                    digest.update(in.readAllBytes());
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException | UncheckedIOException gone) {
            return "not readable: " + folder + " " + gone;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
