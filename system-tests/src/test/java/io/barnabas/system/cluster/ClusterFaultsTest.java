package io.barnabas.system.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three real nodes, one fault after another, an idempotent producer and a reader: nothing that was acknowledged is lost, there twice or out
 * of order, and all replicas have the same bytes. Every build plays a few faults; {@code -Dcluster.tests=true} all of them, often, and holds
 * them to their time as well, which takes a machine that does nothing else. {@link FaultTable} measures the same beside Apache Kafka.
 */
class ClusterFaultsTest {
    private static final int RECORDS_PER_SECOND = 100;
    private static final boolean ALL = Boolean.getBoolean("cluster.tests");

    /** How often the leader is killed; 30 of them bound the rate of failures at a tenth (cluster.kills). */
    private static final int KILLS = Integer.getInteger("cluster.kills", 30);

    @TempDir
    static Path dir;

    static Cluster cluster;
    static final Map<Need, String> MISSING = new EnumMap<>(Need.class);

    @BeforeAll
    static void start() throws Exception {
        Set<Need> needs = EnumSet.noneOf(Need.class);
        for (Need need : EnumSet.of(Need.DISKS, Need.UNRELIABILITY)) {
            need.missing().ifPresentOrElse(why -> MISSING.put(need, why), () -> needs.add(need));
        }
        cluster = Cluster.start(Product.underTest(), Network.loopback(), needs, dir, 3);
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    static Stream<Arguments> faults() {
        return Stream.concat(inEveryBuild(), ALL ? others() : Stream.of());
    }

    private static Stream<Arguments> inEveryBuild() {
        return Stream.of(
                Arguments.of(Fault.KILL_CONTROLLER_AND_LEADER, 1),
                Arguments.of(Fault.KILL_ALL, 1),
                Arguments.of(Fault.ROLLING_RESTART, 1),
                Arguments.of(Fault.FREEZE_LEADER, 1),
                Arguments.of(Fault.DISK_FULL, 1),
                Arguments.of(Fault.FORCES_FAIL, 1),
                Arguments.of(Fault.POWER_LEADER, 1),
                Arguments.of(Fault.CLOCK_AHEAD, 1),
                Arguments.of(Fault.LOST_DISK, 1));
    }

    private static Stream<Arguments> others() {
        return Stream.of(
                Arguments.of(Fault.KILL_LEADER, KILLS),
                Arguments.of(Fault.KILL_CONTROLLER, 1),
                Arguments.of(Fault.STOP_LEADER, 1),
                Arguments.of(Fault.STOP_FOLLOWER, 1),
                Arguments.of(Fault.READ_ONLY, 1),
                Arguments.of(Fault.DISK_GONE, 1),
                Arguments.of(Fault.WRITES_FAIL, 1),
                Arguments.of(Fault.NO_FILES, 1),
                Arguments.of(Fault.POWER_ALL, 1),
                Arguments.of(Fault.DAMAGE, Damage.ALL),
                Arguments.of(Fault.CLOCK_BEHIND, 1));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void no_acknowledged_record_is_lost_and_acknowledgements_come_again_in_time(Fault fault, int times)
            throws Exception {
        fault.needs().forEach(need -> assumeTrue(!MISSING.containsKey(need), () -> MISSING.get(need)));

        Scene.Outcome outcome = Scene.play(cluster, fault, times, RECORDS_PER_SECOND);

        System.out.println(outcome);
        assertThat(outcome).matches(Scene.Outcome::flawless, "flawless");
        if (ALL) {
            assertThat(outcome).matches(Scene.Outcome::inTime, "in time: " + fault.bound());
        }
    }
}
