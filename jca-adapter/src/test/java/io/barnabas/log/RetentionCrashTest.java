package io.barnabas.log;

import static io.barnabas.log.LogFixture.contents;
import static io.barnabas.log.LogFixture.idempotent;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An end at any step while retention takes segments away. */
class RetentionCrashTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long MINUTE = 60_000;
    private static final int RECORDS = 8;

    @ParameterizedTest
    @EnumSource
    void anEndAtAnyStepOfRetentionLeavesALogThatOpensAndKnowsItsProducer(SimulatedDisk.End end) throws IOException {
        int crashes = 0;
        for (int seed = 0; seed < 4; seed++) {
            boolean finished = false;
            for (int step = 1; !finished; step++) {
                SimulatedDisk disk = new SimulatedDisk(seed * 1000L + step);
                LogFixture fixture = new LogFixture(disk, LogFixture.settings(DIRECTORY));
                SegmentedLog log = eightSegments(fixture);
                disk.crashAfter(step);
                finished = retains(log, fixture, disk);
                crashes += finished ? 0 : 1;
                disk.neverCrash();
                fixture.abandon();
                disk.restart(end);
                check(fixture.restart(), "seed " + seed + " step " + step);
            }
        }
        assertThat(crashes).isGreaterThan(30);
    }

    private static LogConfig config() {
        TopicSettings topic = new TopicSettings();
        topic.segmentBytes = 100;
        topic.retentionMs = 4 * MINUTE;
        topic.durability = LogConfig.Durability.FSYNC;
        return topic.build();
    }

    private static SegmentedLog eightSegments(LogFixture fixture) {
        SegmentedLog log = (SegmentedLog) fixture.log(config());
        for (int i = 0; i < RECORDS; i++) {
            log.append(idempotent(5, 0, i, "v" + i), AppendOrigin.CLIENT, 0);
        }
        log.onHighWatermark(RECORDS);
        assertThat(log.durable(RECORDS)).isCompleted();
        fixture.clock.advance(10 * MINUTE);
        return log;
    }

    private static boolean retains(SegmentedLog log, LogFixture fixture, SimulatedDisk disk) throws IOException {
        try {
            Retention.apply(log, fixture.clock.wallMillis());
            fixture.ticker.advance(2 * MINUTE); // the files go
            return !disk.crashed();
        } catch (SimulatedDisk.Crash e) {
            return false;
        }
    }

    private static void check(LogFixture fixture, String at) {
        PartitionLog log = fixture.log(config());
        assertThat(log.logEndOffset()).as(at).isEqualTo(RECORDS);
        List<String> wanted = new ArrayList<>();
        for (long i = log.logStartOffset(); i < RECORDS; i++) {
            wanted.add(i + ":v" + i);
        }
        assertThat(contents(log)).as(at).isEqualTo(wanted);
        assertThat(log.append(idempotent(5, 0, RECORDS - 1, "v" + (RECORDS - 1)), AppendOrigin.CLIENT, 0)
                        .duplicate())
                .as(at)
                .isTrue();
        assertThat(log.append(idempotent(5, 0, RECORDS, "next"), AppendOrigin.CLIENT, 0)
                        .baseOffset())
                .as(at)
                .isEqualTo(RECORDS);
        fixture.close();
    }
}
