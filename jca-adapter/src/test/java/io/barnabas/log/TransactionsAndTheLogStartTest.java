package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.idempotent;
import static io.barnabas.log.LogFixture.marker;
import static io.barnabas.log.LogFixture.transactional;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Retention and DeleteRecords under an open transaction, and how long producers are known. */
class TransactionsAndTheLogStartTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long P = 5;
    private static final long Q = 6;
    private static final long DAY = 86_400_000;

    private enum Restart {
        NONE,
        ORDERLY,
        CRASH
    }

    private final LogFixture fixture = new LogFixture(new MemoryFileStore(), DIRECTORY);
    private final TopicSettings topic = new TopicSettings();
    private SegmentedLog log;

    @BeforeEach
    void open() {
        log = (SegmentedLog) fixture.log(topic.build());
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private void append(org.apache.kafka.common.record.internal.MemoryRecords records) {
        log.append(records, AppendOrigin.CLIENT, 0);
    }

    private void end(long producer, boolean commit) {
        log.append(marker(producer, 0, commit, 0), AppendOrigin.COORDINATOR, 0);
    }

    private void committed() {
        log.onHighWatermark(log.logEndOffset());
    }

    private void restart(Restart how) {
        if (how != Restart.NONE) {
            log = (SegmentedLog) (how == Restart.CRASH ? fixture.crash() : fixture.reopen()).log(topic.build());
            committed();
        }
    }

    private List<ReadResult.AbortedTransaction> aborted() throws IOException {
        ReadResult read = log.read(log.logStartOffset(), 1 << 20, log.logEndOffset(), true, true);
        if (read.records() instanceof LogSlice slice) {
            slice.release();
        }
        return read.aborted();
    }

    /** A transaction that is open from offset 1 to 3, a plain record before, between and after. */
    private void openTransaction() {
        append(batch(fixture.clock.wallMillis(), "plain"));
        append(transactional(P, 0, 0, "p0"));
        append(batch(fixture.clock.wallMillis(), "between"));
        append(transactional(P, 0, 1, "p1"));
        append(batch(fixture.clock.wallMillis(), "after"));
    }

    /** The transaction is open, goes on and is ended as any other. */
    private void endsAsAnyOther(boolean commit) throws IOException {
        assertThat(log.activeProducers())
                .extracting(PartitionLog.ProducerInfo::currentTransactionStartOffset)
                .containsExactly(1L);
        long next = log.logEndOffset();
        log.append(transactional(P, 0, 2, "p2"), AppendOrigin.CLIENT, 0, AppendTerms.guarded(AppendTerms.NO_GUARD));
        end(P, commit);
        assertThat(log.firstUnstableOffset()).as("the marker is not replicated").isLessThanOrEqualTo(next);
        committed();
        assertThat(log.firstUnstableOffset()).isEqualTo(log.logEndOffset());
        if (commit) {
            assertThat(aborted()).isEmpty();
        } else {
            assertThat(aborted()).containsExactly(new ReadResult.AbortedTransaction(P, 1));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, NONE",
        "1, CRASH",
        "2, NONE",
        "2, ORDERLY",
        "2, CRASH",
        "4, CRASH",
        "5, NONE",
        "5, ORDERLY",
        "5, CRASH"
    })
    void deletingRecordsBelowAnOpenTransactionLeavesItOpenAndTheStableOffsetAtTheLogStart(long before, Restart how)
            throws IOException {
        // Given
        openTransaction();
        committed();
        // When
        log.deleteRecordsBefore(before);
        restart(how);
        // Then
        assertThat(log.logStartOffset()).isEqualTo(before);
        assertThat(log.firstUnstableOffset()).isEqualTo(Math.max(1, before));
        endsAsAnyOther(before % 2 == 0);
        restart(how);
        assertThat(log.firstUnstableOffset()).isEqualTo(log.logEndOffset());
        assertThat(aborted()).hasSize(before % 2 == 0 ? 0 : 1);
    }

    @ParameterizedTest
    @EnumSource
    void retentionMayTakeTheBeginningOfAnOpenTransactionButNothingFromTheHighWatermarkOn(Restart how)
            throws IOException {
        // Given an open transaction in old segments, the last of them not replicated
        topic.retentionMs = 60_000;
        topic.segmentBytes = 100;
        log.reconfigure(topic.build());
        openTransaction();
        log.onHighWatermark(3);
        // When
        fixture.clock.advance(10 * DAY);
        Retention.apply(log, fixture.clock.wallMillis());
        // Then
        assertThat(log.logStartOffset()).isEqualTo(3);
        restart(how);
        assertThat(log.firstUnstableOffset()).isEqualTo(3);
        committed();
        // When all is replicated
        Retention.apply(log, fixture.clock.wallMillis());
        restart(how);
        // Then
        assertThat(log.logStartOffset()).isEqualTo(5);
        assertThat(log.sizeInBytes()).isZero();
        assertThat(log.firstUnstableOffset()).isEqualTo(5);
        endsAsAnyOther(false);
    }

    @ParameterizedTest
    @EnumSource
    void aTruncationThatTakesTheMarkerOpensTheTransactionAgain(Restart how) throws IOException {
        append(transactional(P, 0, 0, "p"));
        end(P, false);
        append(batch(fixture.clock.wallMillis(), "after"));
        assertThat(aborted()).hasSize(1);
        // When
        log.truncateTo(1);
        restart(how);
        // Then
        assertThat(log.firstUnstableOffset()).isZero();
        end(P, true);
        committed();
        restart(how);
        assertThat(aborted()).isEmpty();
        assertThat(log.firstUnstableOffset()).isEqualTo(log.logEndOffset());
    }

    @ParameterizedTest
    @EnumSource(names = {"ORDERLY", "CRASH"})
    void whileItsTransactionIsOpenAProducerIsKnownHoweverLongTheBrokerWasDown(Restart how) {
        // Given
        append(idempotent(P, 0, 0, "a"));
        append(transactional(Q, 0, 0, "b"));
        log.roll(); // and a snapshot
        // When
        if (how == Restart.CRASH) {
            fixture.abandon();
        } else {
            fixture.close();
        }
        fixture.clock.advance(1_000 * DAY);
        log = (SegmentedLog) fixture.restart().log(topic.build());
        committed();
        // Then
        assertThat(log.activeProducers())
                .extracting(PartitionLog.ProducerInfo::producerId)
                .containsExactly(Q);
        assertThat(log.firstUnstableOffset()).isOne();
        // When it ends, the silence is counted from its marker on
        end(Q, true);
        fixture.ticker.advance(DAY + 700_000);
        assertThat(log.activeProducers()).isEmpty();
    }

    @Test
    void theTimeAfterWhichProducersAreForgottenMayBeChanged() {
        append(idempotent(P, 0, 0, "a"));
        fixture.ticker.advance(1_800_000);
        assertThat(log.activeProducers()).hasSize(1);

        LogManagerSettings now = fixture.directories().settings();
        fixture.directories()
                .reconfigure(new LogManagerSettings(
                        now.directories(),
                        now.cordoned(),
                        now.brokerId(),
                        now.clusterId(),
                        now.defaults(),
                        now.retentionCheckIntervalMs(),
                        now.cleanerEnabled(),
                        now.cleanerThreads(),
                        now.cleanerBackoffMs(),
                        now.cleanerDedupeBufferBytes(),
                        now.cleanerIoBytesPerSecond(),
                        1_000,
                        now.producerIdExpirationCheckIntervalMs(),
                        now.recoveryThreads(),
                        now.flushCheckpointIntervalMs(),
                        now.initialTaskDelayMs(),
                        now.checkBytesPerSecond()));
        fixture.ticker.advance(now.producerIdExpirationCheckIntervalMs());

        assertThat(log.activeProducers()).isEmpty();
    }
}
