package io.barnabas.system.cluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three real nodes in networks of their own, between which packets are lost without a word, as {@link FaultTable} plays it. Every build plays
 * one cut, {@code -Dcluster.tests=true} all, and holds them to their time as well.
 */
class ClusterCutsTest {
    private static final boolean ALL = Boolean.getBoolean("cluster.tests");

    @TempDir
    static Path dir;

    @Test
    void no_cut_costs_a_record_that_was_acknowledged() throws Exception {
        FaultTableRun.play(dir, ALL ? Fault.OF_NETWORK : List.of(Fault.CUT_ALL), Duration.ofMinutes(ALL ? 20 : 10));
    }
}
