package io.barnabas.log;

import static io.barnabas.log.LogFixture.marker;
import static io.barnabas.log.ProducedBatch.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The process or the power goes between any two steps of a compaction that turns many segments into fewer. */
class CompactionCrashTest {
    private static final Path DIRECTORY = Path.of("/data");
    private static final Map<String, String> VALUES = Map.of("a", "v5", "b", "v5", "gone", "(deleted)");

    @ParameterizedTest
    @EnumSource
    void aCrashAtAnyStepLeavesTheOldOrTheNewAndNoScraps(SimulatedDisk.End end) throws IOException {
        int crashes = 0;
        for (int seed = 0; seed < 3; seed++) {
            boolean finished = false;
            for (int step = 1; !finished; step++) {
                SimulatedDisk disk = new SimulatedDisk(seed * 1000L + step);
                LogFixture fixture = writtenLog(disk);
                disk.crashAfter(step);
                finished = !crashesInCompaction(disk, fixture);
                crashes += finished ? 0 : 1;
                disk.neverCrash();
                fixture.abandon();
                disk.restart(end);
                check(fixture.restart(), "seed " + seed + " step " + step);
            }
        }
        assertThat(crashes).isGreaterThan(100);
    }

    private static boolean crashesInCompaction(SimulatedDisk disk, LogFixture fixture) {
        try {
            fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
            return disk.crashed();
        } catch (SimulatedDisk.Crash e) {
            return true;
        }
    }

    private static LogConfig config() {
        TopicSettings topic = new TopicSettings();
        topic.compact = true;
        topic.delete = false;
        topic.minCleanableDirtyRatio = 0.01;
        topic.segmentBytes = 700;
        topic.indexIntervalBytes = 200;
        return topic.build();
    }

    private static LogFixture writtenLog(SimulatedDisk disk) {
        LogFixture fixture = new LogFixture(disk, LogFixture.cleaning(LogFixture.settings(DIRECTORY)));
        PartitionLog log = fixture.log(config());
        append(log, put("gone", "x"));
        for (int i = 0; i < 6; i++) {
            append(log, put("a", "v" + i), put("unique" + i, "x".repeat(40)));
            log.append(
                    MemoryRecords.withTransactionalRecords(
                            Compression.NONE, 3L, (short) 0, i * 2, put("a", "aborted"), put("b", "aborted")),
                    AppendOrigin.CLIENT,
                    0);
            append(log, put("filler" + i, "y".repeat(200 + 37 * i)));
            log.append(marker(3, 0, false, 0), AppendOrigin.COORDINATOR, 0);
            append(log, put("b", "v" + i), put("gone", null));
        }
        log.onHighWatermark(log.logEndOffset());
        log.flush();
        // only what the checkpoint knows to be forced is compacted
        fixture.directories().disks().forEach(fixture.directories()::checkpoint);
        return fixture;
    }

    private static void append(PartitionLog log, SimpleRecord... records) {
        log.append(MemoryRecords.withRecords(Compression.NONE, records), AppendOrigin.CLIENT, 0);
    }

    private static SimpleRecord put(String key, @Nullable String value) {
        return new SimpleRecord(1_700_000_000_000L, bytes(key), bytes(value));
    }

    private static void check(LogFixture fixture, String at) throws IOException {
        PartitionLog log = fixture.log(config());
        List<String> names = fixture.files.list(DIRECTORY.resolve("t-0")).stream()
                .map(p -> String.valueOf(p.getFileName()))
                .toList();
        assertThat(names).as(at).noneMatch(n -> n.endsWith(LogFolder.SWAP) || n.endsWith(LogFolder.CLEANED));
        assertThat(lastValues(log, at)).as(at).containsAllEntriesOf(VALUES).hasSize(VALUES.size() + 12);
        log.onHighWatermark(log.logEndOffset());
        log.flush();
        fixture.directories().checkpoint(((SegmentedLog) log).disk());
        fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
        assertThat(lastValues(log, at)).as(at).containsAllEntriesOf(VALUES).hasSize(VALUES.size() + 12);
        fixture.close();
    }

    /** What a read_committed consumer of the whole log ends up with; checks order and CRCs on the way. */
    private static Map<String, String> lastValues(PartitionLog log, String at) throws IOException {
        Map<String, String> values = new HashMap<>();
        long last = -1;
        for (Segment segment : ((SegmentedLog) log).view().segments()) {
            ByteBuffer bytes = ByteBuffer.allocate(segment.size());
            segment.file().readFully(bytes, 0);
            for (MutableRecordBatch batch :
                    MemoryRecords.readableRecords(bytes.flip()).batches()) {
                assertThat(batch.isValid()).as(at).isTrue();
                assertThat(batch.baseOffset()).as(at).isGreaterThan(last);
                last = batch.lastOffset();
                if (!batch.isControlBatch() && !isNamed(log, batch)) {
                    for (Record record : batch) {
                        values.put(
                                SegmentsOnly.text(record.key()),
                                record.hasValue() ? SegmentsOnly.text(record.value()) : "(deleted)");
                    }
                }
            }
        }
        return values;
    }

    /** Whether a fetch of the batch tells the consumer that its transaction was aborted. */
    private static boolean isNamed(PartitionLog log, MutableRecordBatch batch) throws IOException {
        if (!batch.isTransactional() || batch.countOrNull() == 0) {
            return false;
        }
        ReadResult read = log.read(batch.baseOffset(), 1, log.logEndOffset(), true, true);
        ((LogSlice) read.records()).release();
        return read.aborted().stream().anyMatch(a -> a.producerId() == batch.producerId());
    }
}
