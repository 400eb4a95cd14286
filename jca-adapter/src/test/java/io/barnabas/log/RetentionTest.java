package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.contents;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What retention takes away, by a manual clock: ten records, each in a segment of its own, a minute apart. */
class RetentionTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long MINUTE = 60_000;
    private static final int RECORDS = 10;

    private final MemoryFileStore files = new MemoryFileStore();
    private final LogFixture fixture = new LogFixture(files, DIRECTORY);
    private final TopicSettings topic = new TopicSettings();

    @AfterEach
    void close() {
        fixture.close();
    }

    private SegmentedLog tenSegments() {
        return tenSegments(RECORDS);
    }

    private SegmentedLog tenSegments(long highWatermark) {
        topic.segmentBytes = 100;
        SegmentedLog log = (SegmentedLog) fixture.log(topic.build());
        for (int i = 0; i < RECORDS; i++) {
            log.append(batch(fixture.clock.wallMillis(), "v" + i), AppendOrigin.CLIENT, 0);
            fixture.clock.advance(MINUTE);
        }
        log.onHighWatermark(highWatermark);
        assertThat(log.segmentCount()).isEqualTo(RECORDS);
        return log;
    }

    private int retain(SegmentedLog log) throws IOException {
        return Retention.apply(log, fixture.clock.wallMillis());
    }

    @Test
    void segmentsGoWhenTheirNewestRecordIsOlderThanRetentionMs() throws IOException {
        topic.retentionMs = 4 * MINUTE;
        SegmentedLog log = tenSegments();

        int deleted = retain(log);

        // the record of minute 6 is exactly four minutes old and stays
        assertThat(deleted).isEqualTo(6);
        assertThat(log.logStartOffset()).isEqualTo(6);
        assertThat(contents(log)).containsExactly("6:v6", "7:v7", "8:v8", "9:v9");
    }

    @Test
    void theActiveSegmentIsRolledAndGoesToo() throws IOException {
        topic.retentionMs = 4 * MINUTE;
        SegmentedLog log = tenSegments();
        fixture.clock.advance(10 * MINUTE);

        retain(log);

        assertThat(log.logStartOffset()).isEqualTo(RECORDS);
        assertThat(log.logEndOffset()).isEqualTo(RECORDS);
        assertThat(log.segmentCount()).isOne();
        assertThat(log.sizeInBytes()).isZero();
        assertThat(log.append(batch(fixture.clock.wallMillis(), "next"), AppendOrigin.CLIENT, 0)
                        .baseOffset())
                .isEqualTo(RECORDS);
        assertThat(contents(fixture.crash().log(topic.build()))).containsExactly("10:next");
    }

    @Test
    void nothingFromTheHighWatermarkOnGoes() throws IOException {
        topic.retentionMs = MINUTE;
        topic.retentionBytes = 0;
        SegmentedLog log = tenSegments(3);
        fixture.clock.advance(60 * MINUTE);

        retain(log);

        assertThat(log.logStartOffset()).isEqualTo(3);
    }

    @Test
    void aHighWatermarkThatIsToldLateDoesNotTakeBackAHigherOneButATruncationDoes() {
        SegmentedLog log = tenSegments(7);

        log.onHighWatermark(6);
        assertThat(log.highWatermark()).isEqualTo(7);

        log.truncateTo(5);
        assertThat(log.highWatermark()).isEqualTo(5);
    }

    @Test
    void anEmptyActiveSegmentIsNotRolledAgainAndAgain() throws IOException {
        topic.retentionMs = MINUTE;
        SegmentedLog log = tenSegments();
        fixture.clock.advance(60 * MINUTE);
        retain(log);
        long base = log.view().segments()[0].baseOffset();

        fixture.clock.advance(60 * MINUTE);

        assertThat(retain(log)).isZero();
        assertThat(log.view().segments()[0].baseOffset()).isEqualTo(base);
    }

    @Test
    void theOldestSegmentsGoWhileTheLogWithoutThemIsStillAsLargeAsRetentionBytes() throws IOException {
        topic.retentionMs = -1;
        SegmentedLog log = tenSegments();
        int each = (int) (log.sizeInBytes() / RECORDS);
        topic.retentionBytes = 3L * each + 1;
        log.reconfigure(topic.build());

        retain(log);

        assertThat(log.logStartOffset()).isEqualTo(6);
        assertThat(log.sizeInBytes()).isEqualTo(4L * each);
    }

    @Test
    void theActiveSegmentDoesNotGoBySize() throws IOException {
        topic.retentionMs = -1;
        topic.retentionBytes = 0;
        SegmentedLog log = tenSegments();

        retain(log);

        assertThat(contents(log)).containsExactly("9:v9");
    }

    @Test
    void segmentsBelowTheLogStartOffsetGoEvenWithoutAPolicyOfDeletion() throws IOException {
        topic.delete = false;
        topic.compact = true;
        topic.retentionMs = 0;
        SegmentedLog log = tenSegments();

        log.deleteRecordsBefore(5);
        retain(log);

        assertThat(log.logStartOffset()).isEqualTo(5);
        assertThat(log.view().segments()[0].baseOffset()).isEqualTo(5);
        assertThat(contents(log)).hasSize(5);
    }

    @Test
    void aMinusMeansForEver() throws IOException {
        topic.retentionMs = -1;
        topic.retentionBytes = -1;
        SegmentedLog log = tenSegments();
        fixture.clock.advance(1_000_000 * MINUTE);

        assertThat(retain(log)).isZero();
    }

    @Test
    void filesAreUnlinkedAfterTheirDelayAndNotBefore() throws IOException {
        topic.retentionMs = 4 * MINUTE;
        SegmentedLog log = tenSegments();
        retain(log);
        Path deleted = log.folder().resolve(LogFolder.fileName(0, LogFolder.LOG) + LogFolder.DELETED);

        assertThat(files.exists(deleted)).isTrue();
        fixture.ticker.advance(log.config().fileDeleteDelayMs());
        assertThat(files.exists(deleted)).isFalse();
    }

    @Test
    void theJanitorRetainsByItselfOnceTheTopicsSettingsAreKnown() {
        topic.retentionMs = 4 * MINUTE;
        SegmentedLog log = tenSegments();

        fixture.ticker.advance(6 * MINUTE);

        assertThat(log.logStartOffset()).isEqualTo(RECORDS);
    }

    @Test
    void aRecordFromTheFutureHoldsUpWhatLiesBehindIt() throws IOException {
        topic.retentionMs = 4 * MINUTE;
        topic.timestampAfterMaxMs = Long.MAX_VALUE;
        topic.segmentBytes = 100;
        SegmentedLog log = (SegmentedLog) fixture.log(topic.build());
        long now = fixture.clock.wallMillis();
        log.append(batch(now, "a"), AppendOrigin.CLIENT, 0);
        log.append(batch(now + 1_000 * MINUTE, "future"), AppendOrigin.CLIENT, 0);
        log.append(batch(now, "b"), AppendOrigin.CLIENT, 0);
        log.onHighWatermark(3);
        fixture.clock.advance(10 * MINUTE);

        retain(log);

        assertThat(contents(log)).containsExactly("1:future", "2:b");
    }
}
