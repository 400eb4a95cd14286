package io.barnabas.log;

import static io.barnabas.log.LogFixture.marker;
import static io.barnabas.log.ProducedBatch.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compaction of a whole log with transactions and producers in it, and what is known of them after the next start. */
class CleaningOfTransactionsTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long P = 5;
    private static final long Q = 6;
    private static final long DAY = 86_400_000;

    private enum Restart {
        NONE,
        ORDERLY,
        CRASH
    }

    private final MemoryFileStore files = new MemoryFileStore();
    private final LogFixture fixture =
            new LogFixture(files, LogFixture.cleaning(LogFixture.settings(LogConfig.defaults(), DIRECTORY)));
    private final TopicSettings topic = new TopicSettings();
    private SegmentedLog log;
    private int fillers;

    @BeforeEach
    void open() {
        topic.compact = true;
        topic.delete = false;
        topic.minCleanableDirtyRatio = 0.01;
        log = (SegmentedLog) fixture.log(topic.build());
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private SimpleRecord put(String key, String value) {
        return new SimpleRecord(fixture.clock.wallMillis(), bytes(key), bytes(value));
    }

    private AppendResult append(MemoryRecords records) {
        return log.append(records, AppendOrigin.CLIENT, 0);
    }

    private AppendResult plain(String key, String value) {
        return append(MemoryRecords.withRecords(Compression.NONE, put(key, value)));
    }

    private AppendResult idempotent(long producer, int sequence, String key, String value) {
        return append(
                MemoryRecords.withIdempotentRecords(Compression.NONE, producer, (short) 0, sequence, put(key, value)));
    }

    private AppendResult transactional(long producer, int sequence, String key, String value) {
        return append(MemoryRecords.withTransactionalRecords(
                Compression.NONE, producer, (short) 0, sequence, put(key, value)));
    }

    private void end(long producer, boolean commit) {
        log.append(marker(producer, 0, commit, 0), AppendOrigin.COORDINATOR, 0);
    }

    /** One pass over all that is there now. */
    private void clean() {
        plain("filler", "x" + ++fillers);
        log.roll();
        log.onHighWatermark(log.logEndOffset());
        log.flush();
        fixture.directories().checkpoint(log.disk());
        fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
    }

    private void restart(Restart how) {
        if (how != Restart.NONE) {
            log = (SegmentedLog) (how == Restart.CRASH ? fixture.crash() : fixture.reopen()).log(topic.build());
            log.onHighWatermark(log.logEndOffset());
        }
    }

    private List<MutableRecordBatch> batches() throws IOException {
        List<MutableRecordBatch> all = new ArrayList<>();
        for (Segment segment : log.view().segments()) {
            ByteBuffer bytes = ByteBuffer.allocate(segment.size());
            segment.file().readFully(bytes, 0);
            MemoryRecords.readableRecords(bytes.flip()).batches().forEach(all::add);
        }
        return all;
    }

    /** Offset and value of each record of data, without the fillers. */
    private List<String> records() throws IOException {
        List<String> all = new ArrayList<>();
        for (MutableRecordBatch batch : batches()) {
            for (Record record : batch) {
                if (!batch.isControlBatch() && !SegmentsOnly.text(record.key()).equals("filler")) {
                    all.add(record.offset() + ":" + SegmentsOnly.text(record.value()));
                }
            }
        }
        return all;
    }

    private List<Long> markers() throws IOException {
        return batches().stream()
                .filter(batch -> batch.isControlBatch() && batch.countOrNull() > 0)
                .map(MutableRecordBatch::baseOffset)
                .toList();
    }

    private List<TransactionIndex.Aborted> index() throws IOException {
        List<TransactionIndex.Aborted> all = new ArrayList<>();
        for (Segment segment : log.view().segments()) {
            all.addAll(segment.transactions().entries());
        }
        return all;
    }

    @Test
    void compactionStopsAtTheFirstOpenTransaction() throws IOException {
        // Given a transaction that began in the second of three segments
        plain("a", "0");
        plain("a", "1");
        log.roll();
        transactional(P, 0, "b", "2");
        plain("a", "3");
        log.roll();
        plain("a", "4");
        // When
        clean();
        // Then what lies before it is clean, and the rest as it was
        assertThat(records()).containsExactly("1:1", "2:2", "3:3", "4:4");
        // When it ends
        end(P, true);
        clean();
        assertThat(records()).containsExactly("2:2", "4:4");
    }

    @Test
    void compactionStopsAtATransactionWhoseMarkerIsNotReplicated() throws IOException {
        plain("a", "0");
        log.roll();
        transactional(P, 0, "a", "1");
        end(P, true);
        log.roll();
        plain("a", "3");
        log.roll();
        log.flush();
        fixture.directories().checkpoint(log.disk());
        // When the high watermark stays before the marker
        log.onHighWatermark(2);
        fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
        // Then
        assertThat(records()).containsExactly("0:0", "1:1", "3:3");
        log.onHighWatermark(4);
        fixture.ticker.advance(LogFixture.CLEANER_BACKOFF_MS);
        assertThat(records()).containsExactly("3:3");
    }

    @ParameterizedTest
    @EnumSource
    void theIndexOfSegmentsThatWereMergedNamesTheAbortedDataThatIsLeft(Restart how) throws IOException {
        // Given two aborted transactions in two segments; the second is the last that its producer wrote
        transactional(P, 0, "p", "lost"); // 0
        end(P, false); // 1
        log.roll();
        transactional(Q, 0, "q", "lost too"); // 2
        transactional(P, 1, "p", "kept"); // 3
        end(Q, false); // 4
        end(P, true); // 5
        // When
        clean();
        clean();
        restart(how);
        // Then
        assertThat(records()).containsExactly("3:kept");
        assertThat(log.view().segments()[0].transactions().entries())
                .extracting(TransactionIndex.Aborted::producerId, TransactionIndex.Aborted::firstOffset)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Q, 2L));
        ReadResult read = log.read(0, 1 << 20, log.logEndOffset(), true, true);
        ((LogSlice) read.records()).release();
        assertThat(read.aborted()).containsExactly(new ReadResult.AbortedTransaction(Q, 2));
        assertThat(log.firstUnstableOffset()).isEqualTo(log.logEndOffset());
    }

    @Test
    void aMarkerGoesWhenItsDataIsGoneAndItsHorizonHasPassed() throws IOException {
        transactional(P, 0, "p", "lost"); // 0
        end(P, false); // 1
        transactional(P, 1, "p", "kept"); // 2
        end(P, true); // 3
        clean();
        assertThat(markers())
                .as("its data was there at the beginning of the pass")
                .containsExactly(1L, 3L);
        fixture.clock.advance(2 * DAY);
        clean();
        assertThat(markers()).as("a pass without data gives it its horizon").containsExactly(1L, 3L);
        fixture.clock.advance(DAY / 2);
        clean();
        assertThat(markers()).as("the horizon is ahead").containsExactly(1L, 3L);
        fixture.clock.advance(DAY / 2);
        clean();
        assertThat(markers()).as("the other one has its data").containsExactly(3L);
        assertThat(index()).isEmpty();
    }

    @Test
    void theMarkerOfATransactionWhoseDataIsGoneGoesThoughTheProducerHasOthers() throws IOException {
        topic.deleteRetentionMs = 1_000;
        log.reconfigure(topic.build());
        transactional(P, 0, "a", "kept"); // 0
        end(P, true); // 1
        transactional(P, 1, "b", "superseded"); // 2
        end(P, true); // 3
        transactional(P, 2, "c", "kept"); // 4
        end(P, true); // 5
        plain("b", "last"); // 6
        for (int pass = 0; pass < 3; pass++) {
            clean();
            fixture.clock.advance(2_000);
        }
        assertThat(markers()).containsExactly(1L, 5L);
    }

    @Test
    void aMarkerThatAloneTellsTheEpochOfItsProducerStaysAsAnEmptyBatch() throws IOException {
        topic.deleteRetentionMs = 1_000;
        log.reconfigure(topic.build());
        transactional(P, 0, "a", "lost"); // 0
        log.append(marker(P, 1, false, 0), AppendOrigin.COORDINATOR, 0, AppendTerms.marker((short) 2)); // 1
        for (int pass = 0; pass < 3; pass++) {
            clean();
            fixture.clock.advance(2_000);
        }
        assertThat(markers()).isEmpty();
        assertThat(batches())
                .filteredOn(batch -> batch.producerId() == P)
                .singleElement()
                .satisfies(batch -> assertThat(batch.producerEpoch()).isEqualTo((short) 1));
    }

    @ParameterizedTest
    @EnumSource
    void theLastBatchOfAProducerStaysEmptyAndHoldsItsSequence(Restart how) throws IOException {
        idempotent(P, 0, "a", "0");
        idempotent(P, 1, "a", "1");
        plain("a", "2");
        // When all that it wrote is superseded and no snapshot tells of it
        clean();
        log.flush();
        if (how == Restart.CRASH) {
            fixture.abandon();
            deleteSnapshots();
            fixture.restart();
        }
        restart(how);
        // Then
        assertThat(records()).containsExactly("2:2");
        AppendResult again = idempotent(P, 1, "a", "1");
        assertThat(again.duplicate()).isTrue();
        assertThat(again.baseOffset()).isOne();
        assertThatThrownBy(() -> idempotent(P, 5, "a", "x")).isInstanceOf(OutOfOrderSequenceException.class);
        assertThat(idempotent(P, 2, "a", "y").duplicate()).isFalse();
    }

    private void deleteSnapshots() throws IOException {
        for (Path path : files.list(DIRECTORY.resolve("t-0"))) {
            if (path.toString().endsWith(LogFolder.SNAPSHOT)) {
                files.deleteIfExists(path);
            }
        }
    }

    @Test
    void theEmptyBatchOfAProducerThatWasForgottenGoes() throws IOException {
        idempotent(P, 0, "a", "0");
        plain("a", "1");
        clean();
        assertThat(batches()).anyMatch(batch -> batch.producerId() == P);
        fixture.ticker.advance(DAY + 700_000);
        clean();
        assertThat(log.activeProducers()).isEmpty();
        assertThat(batches()).noneMatch(batch -> batch.producerId() == P);
    }

    @ParameterizedTest
    @EnumSource
    void snapshotsOfSegmentsThatWereMergedGo(Restart how) throws IOException {
        for (int i = 0; i < 6; i++) {
            idempotent(P, i, "a", "v" + i);
            log.roll();
        }
        clean();
        restart(how);
        List<Long> bases = java.util.Arrays.stream(log.view().segments())
                .map(Segment::baseOffset)
                .toList();
        List<Long> snapshots = files.list(DIRECTORY.resolve("t-0")).stream()
                .filter(path -> path.toString().endsWith(LogFolder.SNAPSHOT))
                .map(path -> LogFolder.offsetOf(String.valueOf(path.getFileName())))
                .toList();
        assertThat(bases).hasSize(2);
        assertThat(bases).containsAll(snapshots);
        assertThat(idempotent(P, 5, "a", "v5").duplicate()).isTrue();
    }

    @Test
    void aSegmentThatCompactionEmptiedHoldsUpNothingThatIsDueForDeletion() throws IOException {
        // Given two segments that do not fit into one, the first of them superseded by the second
        topic.delete = true;
        topic.retentionMs = 60_000;
        topic.segmentBytes = 1_000;
        log.reconfigure(topic.build());
        plain("a", "x".repeat(700));
        log.roll();
        plain("a", "y".repeat(700));
        clean();
        assertThat(log.view().segments()[0].size()).isZero();
        // When
        fixture.clock.advance(61_000);
        Retention.apply(log, fixture.clock.wallMillis());
        // Then
        assertThat(log.sizeInBytes()).isZero();
        assertThat(log.logStartOffset()).isEqualTo(log.logEndOffset());
    }
}
