package io.barnabas.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nothing calls out: the real process, from its start to its stop, in a network of its own whose only way out is a cable that counts
 * what leaves, with a name server at the far end of the cable. The machine knows its own name, as machines do (/etc/hosts).
 */
class SilenceTest {
    private static final List<List<String>> WAYS = List.of(List.of("unshare", "-nmu"), List.of("unshare", "-rnmu"));
    private static final Path NETWORK = Path.of("src/test/resources/network.sh").toAbsolutePath();
    private static final Duration START = Duration.ofSeconds(180);
    private static final Duration IDLE = Duration.ofSeconds(5);

    @TempDir
    Path dir;

    @Test
    void no_packet_leaves_the_machine_and_no_name_is_looked_up_from_start_to_stop() throws Exception {
        List<String> way = wayIn();
        Path output = dir.resolve("output");
        Process network = inNetwork(
                way,
                output,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                BarnabasProcess.jar().toString(),
                "run",
                "--data",
                dir.resolve("data").toString());
        try {
            // When it has started, and idled for a while
            Awaitility.await("the broker serves; its output is in " + output)
                    .atMost(START)
                    .until(() -> !network.isAlive() || read(output).contains("Barnabas serves."));
            assertThat(network.isAlive()).as("alive; output:\n%s", read(output)).isTrue();
            long pid = network.children().findFirst().orElseThrow().pid();
            Awaitility.await("it idles")
                    .during(IDLE)
                    .atMost(IDLE.multipliedBy(4))
                    .until(network::isAlive);
            // Then it listens on loopback alone
            assertThat(Sockets.openedBy(pid)).hasSizeGreaterThanOrEqualTo(2).allMatch(Sockets::isLoopback);
        } finally {
            network.destroy();
            assertThat(network.waitFor(90, TimeUnit.SECONDS)).as("stopped").isTrue();
        }
        // And from start to stop nothing has left
        assertThat(sentOut()).as("packets sent out; output:\n%s", read(output)).isZero();
        assertThat(datagrams()).as("datagrams sent, as for looking up a name").isZero();
    }

    /** How to get a network of one's own here, where the cable counts a packet and no name server answers. */
    private List<String> wayIn() throws Exception {
        for (List<String> way : WAYS) {
            if (finished(inNetwork(way, dir.resolve("trial"), "bash", "-c", "echo x > /dev/udp/192.0.2.9/9"))
                    && sentOut() == 1
                    && datagrams() == 1) {
                return way;
            }
        }
        assumeTrue(false, "a network of one's own (unshare, ip, veth) is not allowed here");
        return List.of();
    }

    private static boolean finished(Process process) throws InterruptedException {
        return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    private Process inNetwork(List<String> way, Path output, String... command) throws IOException {
        List<String> whole = new ArrayList<>(way);
        whole.addAll(List.of("bash", NETWORK.toString(), dir.toString()));
        whole.addAll(List.of(command));
        try {
            return new ProcessBuilder(whole)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
        } catch (IOException noSuchCommand) {
            return new ProcessBuilder("false").start();
        }
    }

    private long sentOut() throws IOException {
        return Files.readAllLines(dir.resolve("dev")).stream()
                .map(line -> line.trim().split("[:\\s]+"))
                .filter(fields -> fields[0].equals("out0"))
                .mapToLong(fields -> Long.parseLong(fields[10]))
                .findFirst()
                .orElseThrow();
    }

    private long datagrams() throws IOException {
        List<String[]> udp = Files.readAllLines(dir.resolve("snmp")).stream()
                .filter(line -> line.startsWith("Udp:"))
                .map(line -> line.split("\\s+"))
                .toList();
        int column = List.of(udp.get(0)).indexOf("OutDatagrams");
        return Long.parseLong(udp.get(1)[column]);
    }

    private static String read(Path output) throws IOException {
        return Files.exists(output) ? Files.readString(output) : "";
    }
}
