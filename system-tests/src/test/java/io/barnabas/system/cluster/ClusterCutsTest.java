package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three real nodes in networks of their own, between which packets are lost without a word, as {@link FaultTable} plays it: that is a
 * process of its own, because the network is made around it. Every build plays one cut, {@code -Dcluster.tests=true} all.
 */
class ClusterCutsTest {
    private static final String RECORDS_PER_SECOND = "100";
    private static final boolean ALL = Boolean.getBoolean("cluster.tests");

    @TempDir
    static Path dir;

    @Test
    void no_cut_costs_a_record_that_was_acknowledged() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Product.java(),
                "-Xmx300m",
                "-Dbarnabas.jar=" + System.getProperty("barnabas.jar"),
                "-Dcluster.directory=" + dir.resolve("cut"),
                "-Dcluster.lasting=" + Fault.LASTING.toSeconds(),
                "-Djava.util.logging.config.file=" + System.getProperty("java.util.logging.config.file"),
                "-cp",
                System.getProperty("java.class.path"),
                FaultTable.class.getName(),
                "barnabas",
                "3",
                RECORDS_PER_SECOND));
        (ALL ? Fault.OF_NETWORK : List.of(Fault.CUT_ALL)).forEach(fault -> command.add(fault.name()));
        Path output = dir.resolve("cut.out");
        Process table = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();

        assertThat(table.waitFor(10, TimeUnit.MINUTES))
                .as("ended; see %s", output)
                .isTrue();

        String rows = Files.readString(output);
        assumeTrue(table.exitValue() != FaultTable.NO_NETWORK, rows);
        assertThat(table.exitValue()).as(rows).isZero();
        System.out.println(rows);
    }
}
