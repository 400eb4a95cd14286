package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** {@link FaultTable} as a process of its own: the network that it plays in is made around it. */
final class FaultTableRun {
    private static final String RECORDS_PER_SECOND = "100";

    private FaultTableRun() {}

    /**
     * Plays faults and fails if one has a flaw; where the machine does not allow them, the test is skipped.
     *
     * @param dir where the nodes are to live
     * @param limit for all of it
     */
    static void play(Path dir, List<Fault> faults, Duration limit) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Product.java(),
                "-Xmx400m",
                "-Dbarnabas.jar=" + System.getProperty("barnabas.jar"),
                "-Dcluster.directory=" + dir.resolve("nodes"),
                "-Dcluster.lasting=" + Fault.LASTING.toSeconds(),
                "-Djava.util.logging.config.file=" + System.getProperty("java.util.logging.config.file")));
        Stream.of("cluster.tests", "cluster.slower", "cluster.seed", "cluster.mix.seconds", "cluster.mix.forced")
                .filter(name -> System.getProperty(name) != null)
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FaultTable.class.getName()));
        command.addAll(List.of("barnabas", "3", RECORDS_PER_SECOND));
        faults.forEach(fault -> command.add(fault.name()));
        Path output = dir.resolve("table.out");
        Process table = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();

        boolean ended = table.waitFor(limit.toSeconds(), TimeUnit.SECONDS);
        table.destroyForcibly();

        String rows = Files.readString(output);
        assertThat(ended).as("ended within %s: %s", limit, rows).isTrue();
        assumeTrue(table.exitValue() != FaultTable.NO_NETWORK, rows);
        assertThat(table.exitValue()).as(rows).isZero();
        System.out.println(rows);
    }
}
