package io.barnabas.simulation;

import io.barnabas.coordinator.group.GroupCoordinatorSettings;
import io.barnabas.log.LogConfig;
import io.barnabas.log.LogManagerSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** What a {@link BrokerSimulation} is configured with, by its seed and on its scale: little room and short times. */
final class SimulationSettings {
    static final List<Path> DIRECTORIES = List.of(Path.of("/data1"), Path.of("/data2"));

    private final Random random;
    private final boolean fsync;

    SimulationSettings(Random random, boolean fsync) {
        this.random = random;
        this.fsync = fsync;
    }

    LogManagerSettings logs() {
        return new LogManagerSettings(
                DIRECTORIES,
                Set.of(),
                1,
                "cluster",
                LogConfig.defaults(),
                2_000 + random.nextInt(20_000),
                true,
                1,
                1_000 + random.nextInt(10_000),
                random.nextBoolean() ? 24 * 16 : 1 << 16,
                Double.MAX_VALUE,
                86_400_000,
                600_000,
                1,
                1_000 + random.nextInt(20_000),
                30_000,
                Long.MAX_VALUE);
    }

    static GroupCoordinatorSettings groups() {
        GroupCoordinatorSettings plain = GroupCoordinatorSettings.defaults();
        return new GroupCoordinatorSettings(
                plain.minSessionTimeoutMs(),
                plain.maxSessionTimeoutMs(),
                plain.maxSize(),
                2_000,
                plain.newMemberJoinTimeoutMs(),
                64,
                plain.offsetsRetentionMs() * 100,
                plain.offsetsRetentionCheckIntervalMs(),
                plain.offsetsCommitTimeoutMs(),
                SimulatedNode.OFFSETS_PARTITIONS);
    }

    /** Of a topic of the simulation, other ones each time. */
    LogConfig topic(String name) {
        LogSettings settings = new LogSettings(random, fsync);
        if (name.equals(SimulatedNode.OFFSETS)) {
            settings.segmentBytes = 2_500 + random.nextInt(2_500);
            settings.compact = true;
        } else {
            settings.segmentBytes = 700 + random.nextInt(3_000);
            settings.retentionMs = random.nextInt(3) == 0 ? 100_000 : -1;
            settings.retentionBytes = random.nextInt(3) == 0 ? 6_000 : -1;
        }
        return settings.build();
    }
}
