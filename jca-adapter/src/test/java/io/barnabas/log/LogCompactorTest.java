package io.barnabas.log;

import static io.barnabas.log.ProducedBatch.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.time.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogCompactorTest {
    private static final long START = 1_700_000_000_000L;
    private static final long DAY = 86_400_000L;

    private final ManualClock clock = new ManualClock(START);
    private final FileStore files = new NioFileStore();

    @TempDir
    private Path directory = Path.of("");

    private SegmentsOnly log;
    private LogCompactor compactor;

    private CleanerPace pace() {
        return new CleanerPace(clock, new DirectLogThreads(), () -> Double.MAX_VALUE);
    }

    @BeforeEach
    void open() throws IOException {
        log = new SegmentsOnly(new LogFolder(files, directory.resolve("t-0")), new TopicPartition("t", 0));
        compactor = compactor(1 << 20);
    }

    private LogCompactor compactor(long dedupeBytes) {
        return new LogCompactor(() -> List.of(log), files, clock, () -> dedupeBytes, pace());
    }

    private SimpleRecord put(String key, @Nullable String value) {
        return new SimpleRecord(clock.wallMillis(), bytes(key), bytes(value));
    }

    @Test
    void the_last_value_of_each_key_stays_at_its_offset() throws IOException {
        for (CompressionType codec : CompressionType.values()) {
            log.append(codec, put("a", "old"), put("b", "only" + codec), put("a", "new"));
        }
        log.roll();

        assertThat(compactor.compactDirtiest()).isTrue();

        assertThat(log.records()).extracting(Record::offset).containsExactly(13L, 14L);
        assertThat(log.lastValues()).isEqualTo(Map.of("a", "new", "b", "onlyzstd"));
        assertThat(log.batches()).allMatch(MutableRecordBatch::isValid);
    }

    @Test
    void a_clean_log_is_left_alone() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"));
        log.roll();
        assertThat(compactor.compactDirtiest()).isTrue();
        assertThat(compactor.compactDirtiest()).isFalse();
        assertThat(compactor(1 << 20).compactDirtiest())
                .as("after a restart, by its checkpoint")
                .isFalse();
    }

    @Test
    void the_active_segment_is_never_touched() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"));
        log.append(CompressionType.NONE, put("a", "2"));
        assertThat(compactor.compactDirtiest()).isFalse();
        log.roll();
        log.append(CompressionType.NONE, put("a", "3"));

        assertThat(compactor.compactDirtiest()).isTrue();

        assertThat(log.records()).extracting(Record::offset).containsExactly(1L, 2L);
    }

    @Test
    void nothing_from_the_high_watermark_or_an_open_transaction_on_is_touched() throws IOException {
        for (int i = 0; i < 4; i++) {
            log.append(CompressionType.NONE, put("a", "v" + i));
            log.roll();
        }
        log.highWatermark = 0;
        assertThat(compactor.compactDirtiest()).isFalse();
        log.highWatermark = 3;
        log.firstUnstable = 2;

        assertThat(compactor.compactDirtiest()).isTrue();

        assertThat(log.records()).extracting(Record::offset).containsExactly(1L, 2L, 3L);
    }

    @Test
    void a_log_is_due_by_its_share_of_dirty_bytes() throws IOException {
        log.settings.minCleanableDirtyRatio = 0.5;
        log.append(CompressionType.NONE, put("a", "x".repeat(1000)));
        log.roll();
        assertThat(compactor.compactDirtiest()).isTrue();
        log.append(CompressionType.NONE, put("b", "x".repeat(500)));
        log.roll();
        assertThat(compactor.compactDirtiest()).isFalse();
        log.append(CompressionType.NONE, put("c", "x".repeat(700)));
        log.roll();
        assertThat(compactor.compactDirtiest()).isTrue();
    }

    @Test
    void the_compaction_lags_hold_back_and_hurry() throws IOException {
        log.settings.minCleanableDirtyRatio = 0.9;
        log.settings.minCompactionLagMs = 1000;
        log.settings.maxCompactionLagMs = 5000;
        log.append(CompressionType.NONE, put("clean", "x".repeat(5000)));
        log.roll();
        assertThat(compactor.compactDirtiest()).as("too young").isFalse();
        clock.advance(1000);
        assertThat(compactor.compactDirtiest()).as("all is dirty").isTrue();
        log.append(CompressionType.NONE, put("a", "1"));
        log.roll();
        clock.advance(5000);
        assertThat(compactor.compactDirtiest()).as("not dirty enough").isFalse();
        clock.advance(1);
        assertThat(compactor.compactDirtiest()).as("overdue").isTrue();
    }

    @Test
    void a_tombstone_goes_after_its_horizon_and_not_before() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"), put("keep", "1"));
        log.append(CompressionType.NONE, put("a", null));
        log.roll();
        compactor.compactDirtiest();
        assertThat(log.lastValues()).isEqualTo(Map.of("a", "(deleted)", "keep", "1"));
        assertThat(log.batches().get(1).deleteHorizonMs()).hasValue(START + DAY);

        dirty();
        clock.advance(DAY - 1);
        compactor.compactDirtiest();
        assertThat(log.lastValues()).containsKey("a");
        assertThat(log.records())
                .filteredOn(r -> !r.hasValue())
                .extracting(Record::timestamp)
                .containsExactly(START);

        dirty();
        clock.advance(1);
        compactor.compactDirtiest();
        assertThat(log.lastValues()).doesNotContainKey("a");
    }

    private void dirty() throws IOException {
        log.append(CompressionType.NONE, put("other" + log.logEndOffset(), "x"));
        log.roll();
    }

    @Test
    void an_aborted_transaction_disappears_and_its_marker_after_the_horizon() throws IOException {
        log.append(CompressionType.NONE, put("k", "before"));
        log.appendTransactional(5, 0, put("k", "aborted"), put("only", "aborted"));
        log.roll();
        log.endTransaction(5, false, clock.wallMillis());
        log.appendTransactional(5, 2, put("k2", "committed"));
        log.endTransaction(5, true, clock.wallMillis());
        log.roll();

        compactor.compactDirtiest();
        assertThat(log.lastValues()).isEqualTo(Map.of("k", "before", "k2", "committed"));
        assertThat(log.markers()).as("a marker outlives its data by one pass").isEqualTo(2);
        assertThat(abortedEntries()).isEqualTo(1);

        dirty();
        compactor.compactDirtiest();
        assertThat(log.markers()).as("now it has a horizon").isEqualTo(2);

        dirty();
        clock.advance(DAY);
        compactor.compactDirtiest();
        assertThat(log.markers()).as("the committed data is still there").isEqualTo(1);
        assertThat(abortedEntries()).isZero();
        assertThat(log.lastValues()).containsEntry("k", "before").containsEntry("k2", "committed");
    }

    private int abortedEntries() throws IOException {
        int count = 0;
        for (Segment segment : log.segments()) {
            count += segment.transactions().entries().size();
        }
        return count;
    }

    @Test
    void a_producers_last_batch_stays_as_an_empty_one() throws IOException {
        log.appendTransactional(5, 7, put("k", "1"), put("l", "1"));
        log.endTransaction(5, true, clock.wallMillis());
        log.append(CompressionType.NONE, put("k", "2"), put("l", "2"));
        log.roll();

        compactor.compactDirtiest();

        MutableRecordBatch empty = log.batches().get(0);
        assertThat(empty.countOrNull()).isZero();
        assertThat(empty.baseOffset()).isZero();
        assertThat(empty.lastOffset()).isEqualTo(1);
        assertThat(empty.baseSequence()).isEqualTo(7);
        assertThat(empty.lastSequence()).isEqualTo(8);
        log.lastRecords.clear();
        dirty();
        compactor.compactDirtiest();
        assertThat(log.batches().get(0).baseOffset()).isNotZero();
    }

    @Test
    void a_rewritten_batch_keeps_its_offsets_and_sequences() throws IOException {
        log.appendTransactional(5, 3, put("a", "1"), put("b", "1"), put("c", "1"));
        log.endTransaction(5, true, clock.wallMillis());
        log.append(CompressionType.NONE, put("a", "2"), put("c", "2"));
        log.roll();

        compactor.compactDirtiest();

        MutableRecordBatch batch = log.batches().get(0);
        assertThat(batch.countOrNull()).isEqualTo(1);
        assertThat(batch.baseOffset()).isZero();
        assertThat(batch.lastOffset()).isEqualTo(2);
        assertThat(batch.baseSequence()).isEqualTo(3);
        assertThat(batch.lastSequence()).isEqualTo(5);
    }

    @Test
    void a_full_map_ends_the_pass_and_the_next_goes_on_there() throws IOException {
        compactor = compactor(24 * 100);
        for (int round = 0; round < 3; round++) {
            for (int key = 0; key < 250; key++) {
                log.append(CompressionType.NONE, put("k" + key, "v" + round));
            }
            log.roll();
        }
        int passes = 0;
        while (compactor.compactDirtiest()) {
            passes++;
        }

        assertThat(passes).isGreaterThan(3);
        assertThat(log.records()).hasSize(250);
        assertThat(log.lastValues().values()).containsOnly("v2");
    }

    @Test
    void small_segments_are_put_together_but_not_beyond_31_bits_of_offsets() throws IOException {
        for (int i = 0; i < 5; i++) {
            log.append(CompressionType.NONE, put("a", "" + i), put("k" + i, "x"));
            log.roll();
        }
        log.skipTo(3_000_000_000L);
        log.append(CompressionType.NONE, put("far", "x"));
        log.roll();

        compactor.compactDirtiest();

        assertThat(log.segments()).extracting(Segment::baseOffset).containsExactly(0L, 3_000_000_000L, 3_000_000_001L);
        assertThat(log.records()).hasSize(7);
        Segment.Place found = log.segments().get(0).find(7);
        assertThat(found).isNotNull();
    }

    @Test
    void a_batch_larger_than_the_buffers_is_compacted() throws IOException {
        log.append(CompressionType.NONE, put("big", "x".repeat(2_000_000)), put("a", "1"));
        log.append(CompressionType.GZIP, put("a", "y".repeat(1_500_000)));
        log.append(CompressionType.NONE, put("b", null));
        log.roll();

        assertThat(compactor.compactDirtiest()).isTrue();

        assertThat(log.records()).hasSize(3);
    }

    @Test
    void records_without_a_key_are_dropped() throws IOException {
        log.append(CompressionType.NONE, new SimpleRecord(START, null, bytes("x")), put("a", "1"));
        log.roll();
        compactor.compactDirtiest();
        assertThat(log.records()).hasSize(1);
    }

    @Test
    void the_last_replicated_batch_stays_even_if_empty() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"));
        log.append(CompressionType.NONE, new SimpleRecord(START, null, bytes("x")));
        log.roll();

        compactor.compactDirtiest();

        assertThat(log.batches()).hasSize(2);
        assertThat(log.batches().get(1).nextOffset()).isEqualTo(log.highWatermark());
    }

    @Test
    void a_damaged_log_is_set_aside_with_the_reason() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"));
        log.roll();
        try (FileChannel channel = files.open(log.folder().resolve(LogFolder.fileName(0, LogFolder.LOG)), true)) {
            channel.write(ByteBuffer.wrap(new byte[] {0x55}), channel.size() - 2);
        }

        assertThat(compactor.compactDirtiest()).isFalse();
        assertThat(compactor.compactDirtiest()).isFalse();

        assertThat(compactor.uncleanable().get(log.topicPartition())).contains("Damaged batch");
        assertThat(log.failures).isEmpty();
    }

    @Test
    void a_segment_that_is_deleted_while_the_compactor_looks_for_work_is_no_failure_of_the_disk() throws IOException {
        log.settings.maxCompactionLagMs = 5000; // to see whether it is due its first batch is read
        log.append(CompressionType.NONE, put("a", "1"));
        log.roll();
        log.afterNextLook = () -> log.deleteFirst();

        assertThat(compactor.compactDirtiest()).isFalse();

        assertThat(log.segments()).hasSize(1);
        assertThat(log.failures).isEmpty();
    }

    @Test
    void a_pass_over_a_log_that_was_truncated_meanwhile_leaves_no_trace() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"), put("a", "2"));
        log.roll();
        List<Segment> before = log.segments();
        CompactionRange range = CompactionRange.of(log, before, -1, clock.wallMillis());
        CompactionPass pass = new CompactionPass(log, range, new KeyOffsets(1 << 20), clock, pace());
        log.truncations++;

        org.assertj.core.api.Assertions.assertThatThrownBy(pass::run).isInstanceOf(CompactionPass.Abandoned.class);

        assertThat(log.segments()).isEqualTo(before);
        assertThat(files.list(log.folder().path())).noneMatch(p -> p.toString().endsWith(LogFolder.CLEANED));
    }

    @Test
    void what_comes_back_after_a_truncation_is_dirty() throws IOException {
        log.append(CompressionType.NONE, put("a", "1"));
        log.roll();
        log.append(CompressionType.NONE, put("a", "2"));
        log.roll();
        compactor.compactDirtiest();
        assertThat(compactor.compactDirtiest()).isFalse();

        compactor.onTruncated(log.topicPartition(), log.disk(), 1);

        assertThat(compactor.compactDirtiest()).isTrue();
    }

    @Test
    void random_histories_keep_what_a_reader_would_end_up_with() throws IOException {
        for (int seed = 0; seed < 60; seed++) {
            log = new SegmentsOnly(new LogFolder(files, directory.resolve("r-" + seed)), new TopicPartition("r", seed));
            compactor = compactor(seed % 3 == 0 ? 24 * 20 : 1 << 16);
            randomHistory(new Random(seed), seed);
        }
    }

    private void randomHistory(Random random, int seed) throws IOException {
        Map<String, String> model = new HashMap<>();
        Set<Long> offsets = new HashSet<>();
        int sequence = 0;
        for (int step = 0; step < 60; step++) {
            int kind = random.nextInt(10);
            SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(4)];
            for (int i = 0; i < records.length; i++) {
                records[i] = put("k" + random.nextInt(25), random.nextInt(5) == 0 ? null : "v" + step + "." + i);
            }
            boolean aborted = kind == 7;
            if (kind < 6) {
                log.append(CompressionType.values()[random.nextInt(5)], records);
            } else if (kind < 8) {
                log.appendTransactional(9, sequence, records);
                sequence += records.length;
                if (random.nextBoolean()) {
                    log.roll();
                }
                log.endTransaction(9, !aborted, clock.wallMillis());
            } else if (kind == 8) {
                log.roll();
                clock.advance(random.nextInt(3) * DAY / 2);
            } else {
                compactor.compactDirtiest();
            }
            if (kind < 8 && !aborted) {
                for (SimpleRecord record : records) {
                    String key = SegmentsOnly.text(record.key());
                    model.put(key, record.value() == null ? "(deleted)" : SegmentsOnly.text(record.value()));
                }
            }
        }
        log.roll();
        int passes = 0;
        while (compactor.compactDirtiest() && passes++ < 100) {}
        assertThat(compactor.uncleanable()).as("seed %d", seed).isEmpty();
        Map<String, String> found = log.lastValues();
        model.forEach((key, value) -> {
            if (!value.equals("(deleted)") || found.containsKey(key)) {
                assertThat(found).as("seed %d", seed).containsEntry(key, value);
            }
        });
        assertThat(model.keySet()).as("seed %d", seed).containsAll(found.keySet());
        log.records()
                .forEach(r ->
                        assertThat(offsets.add(r.offset())).as("seed %d", seed).isTrue());
        assertThat(log.records()).as("seed %d: one record a key", seed).hasSize(found.size());
    }
}
