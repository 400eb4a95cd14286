package io.barnabas.log;

import static io.barnabas.log.LogFixture.batch;
import static io.barnabas.log.LogFixture.idempotent;
import static io.barnabas.log.LogFixture.marker;
import static io.barnabas.log.LogFixture.transactional;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.TransactionCoordinatorFencedException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Idempotence and transactions as a log enforces them (KIP-98, KIP-890). */
class ProducersInTheLogTest {
    private static final Path DIRECTORY = Path.of("/data").toAbsolutePath();
    private static final long P = 5;
    private static final long Q = 6;
    private static final short TV1 = 1;
    private static final short TV2 = 2;
    private static final long DAY = 86_400_000;

    private final LogFixture fixture = new LogFixture(new MemoryFileStore(), DIRECTORY);
    private PartitionLog log;

    @BeforeEach
    void open() {
        log = fixture.log(LogConfig.defaults());
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private AppendResult append(MemoryRecords records) {
        return log.append(records, AppendOrigin.CLIENT, 0);
    }

    private AppendResult end(long producerId, int epoch, boolean commit, short transactionVersion) {
        return log.append(
                marker(producerId, epoch, commit, 1),
                AppendOrigin.COORDINATOR,
                0,
                AppendTerms.marker(transactionVersion));
    }

    private void restart(boolean orderly) {
        log = (orderly ? fixture.reopen() : fixture.crash()).log(LogConfig.defaults());
    }

    // ---- sequences

    @Test
    void sequencesWrapFromTheGreatestIntegerToZero() {
        append(idempotent(P, 0, Integer.MAX_VALUE - 1, "a", "b"));

        assertThat(append(idempotent(P, 0, 0, "c")).baseOffset()).isEqualTo(2);
        assertThatThrownBy(() -> append(idempotent(P, 0, 5, "d"))).isInstanceOf(OutOfOrderSequenceException.class);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBatchAcrossTheWrapIsRecognisedWhenItComesAgain(boolean restarted) {
        append(idempotent(P, 0, Integer.MAX_VALUE, "a", "b", "c")); // MAX, 0, 1
        if (restarted) {
            restart(false);
        }

        AppendResult again = append(idempotent(P, 0, Integer.MAX_VALUE, "a", "b", "c"));

        assertThat(again.duplicate()).isTrue();
        assertThat(again.baseOffset()).isZero();
        assertThat(again.lastOffset()).isEqualTo(2);
        assertThat(append(idempotent(P, 0, 2, "d")).baseOffset()).isEqualTo(3);
    }

    @Test
    void aGapInTheSequencesIsRefusedAndNothingIsAppended() {
        append(idempotent(P, 0, 0, "a"));

        assertThatThrownBy(() -> append(idempotent(P, 0, 2, "c"))).isInstanceOf(OutOfOrderSequenceException.class);
        assertThat(log.logEndOffset()).isOne();
        assertThat(append(idempotent(P, 0, 1, "b")).baseOffset()).isOne();
    }

    @Test
    void theLastFiveBatchesAreRecognisedAndTheSixthIsNot() {
        for (int i = 0; i < 6; i++) {
            append(idempotent(P, 0, i, "v" + i));
        }

        for (int i = 1; i < 6; i++) {
            AppendResult again = append(idempotent(P, 0, i, "v" + i));
            assertThat(again.duplicate()).isTrue();
            assertThat(again.baseOffset()).isEqualTo(i);
        }
        assertThatThrownBy(() -> append(idempotent(P, 0, 0, "v0"))).isInstanceOf(OutOfOrderSequenceException.class);
        assertThat(log.logEndOffset()).isEqualTo(6);
    }

    @Test
    void aBatchThatBeginsLikeAnEarlierOneButEndsElsewhereIsNoDuplicate() {
        append(idempotent(P, 0, 0, "a", "b"));
        append(idempotent(P, 0, 2, "c"));

        assertThatThrownBy(() -> append(idempotent(P, 0, 0, "a"))).isInstanceOf(OutOfOrderSequenceException.class);
        assertThatThrownBy(() -> append(idempotent(P, 0, 1, "b"))).isInstanceOf(OutOfOrderSequenceException.class);
        // and of another epoch it is the first batch
        assertThat(append(idempotent(P, 1, 0, "a", "b")).duplicate()).isFalse();
        assertThat(log.logEndOffset()).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRetryOfAnEarlierBatchAfterAReopenIsADuplicateAndNotAppendedAgain(boolean orderly) {
        // Given more batches than the one that a snapshot keeps
        for (int i = 0; i < 6; i++) {
            append(idempotent(P, 0, i, "v" + i));
        }
        // When
        restart(orderly);
        // Then
        for (int i = 1; i < 6; i++) {
            AppendResult again = append(idempotent(P, 0, i, "v" + i));
            assertThat(again.duplicate()).isTrue();
            assertThat(again.baseOffset()).isEqualTo(i);
        }
        assertThat(log.logEndOffset()).isEqualTo(6);
        assertThat(append(idempotent(P, 0, 6, "v6")).baseOffset()).isEqualTo(6);
    }

    @Test
    void aBatchOfAnEarlierEpochIsNotTakenForTheFirstOfThisOneAfterAReopen() {
        append(idempotent(P, 0, 0, "a"));
        append(idempotent(P, 0, 1, "b"));
        append(idempotent(P, 1, 0, "c"));
        restart(true);

        AppendResult next = append(idempotent(P, 1, 1, "d"));

        assertThat(next.duplicate()).isFalse();
        assertThat(next.baseOffset()).isEqualTo(3);
    }

    @Test
    void aStaleEpochIsRefused() {
        append(idempotent(P, 3, 0, "a"));

        assertThatThrownBy(() -> append(idempotent(P, 2, 1, "b"))).isInstanceOf(InvalidProducerEpochException.class);
    }

    @Test
    void aNewEpochBeginsWithSequenceZero() {
        append(idempotent(P, 0, 0, "a"));

        assertThatThrownBy(() -> append(idempotent(P, 1, 1, "b"))).isInstanceOf(OutOfOrderSequenceException.class);
        assertThat(append(idempotent(P, 1, 0, "b")).baseOffset()).isOne();
    }

    @Test
    void anUnknownProducerMayBeginAnywhere() {
        assertThat(append(idempotent(P, 4, 77, "a")).baseOffset()).isZero();
    }

    @Test
    void aSilentProducerIsForgottenAfterADayUnlessItsTransactionIsOpen() {
        append(idempotent(P, 0, 0, "a"));
        append(transactional(Q, 0, 0, "b"));

        fixture.ticker.advance(DAY - 700_000);
        assertThat(log.activeProducers()).hasSize(2);
        fixture.ticker.advance(1_400_000);

        assertThat(log.activeProducers())
                .extracting(PartitionLog.ProducerInfo::producerId)
                .containsExactly(Q);
        assertThat(append(idempotent(P, 0, 9, "c")).baseOffset()).isEqualTo(2);
    }

    // ---- snapshots

    private List<Long> snapshots() throws IOException {
        return fixture.files.list(DIRECTORY.resolve("t-0")).stream()
                .filter(path -> path.toString().endsWith(LogFolder.SNAPSHOT))
                .map(path -> LogFolder.offsetOf(String.valueOf(path.getFileName())))
                .toList();
    }

    @Test
    void aSnapshotIsTakenAtEachRollAndAtTheEnd() throws IOException {
        append(idempotent(P, 0, 0, "a"));
        ((SegmentedLog) log).roll();
        append(transactional(Q, 0, 0, "b", "c"));
        ((SegmentedLog) log).roll();
        append(idempotent(P, 0, 1, "d"));
        assertThat(snapshots()).containsExactly(1L, 3L);

        fixture.close();

        assertThat(snapshots()).containsExactly(1L, 3L, 4L);
        byte[] last = fixture.files.readAll(DIRECTORY.resolve("t-0").resolve("00000000000000000004.snapshot"));
        assertThat(ProducerSnapshot.decode(last).orElseThrow())
                .extracting(ProducerSnapshot.Entry::producerId, ProducerSnapshot.Entry::transactionFirstOffset)
                .containsExactlyInAnyOrder(tuple(P, -1L), tuple(Q, 1L));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutASnapshotProducersAreKnownFromTheBatches(boolean orderly) throws IOException {
        append(idempotent(P, 2, 7, "a"));
        append(transactional(Q, 0, 0, "b", "c"));
        ((SegmentedLog) log).roll();
        List<PartitionLog.ProducerInfo> before = log.activeProducers();
        if (orderly) {
            fixture.close();
        } else {
            fixture.abandon();
        }
        for (long each : snapshots()) {
            fixture.files.deleteIfExists(
                    DIRECTORY.resolve("t-0").resolve(LogFolder.fileName(each, LogFolder.SNAPSHOT)));
        }

        log = fixture.restart().log(LogConfig.defaults());

        assertThat(log.activeProducers()).containsExactlyInAnyOrderElementsOf(before);
        assertThat(log.firstUnstableOffset()).isOne();
        assertThat(append(idempotent(P, 2, 7, "a")).duplicate()).isTrue();
    }

    // ---- transactions

    @Test
    void theFirstUnstableOffsetIsThatOfTheEarliestOpenTransaction() {
        append(batch(1_700_000_000_000L, "plain"));
        append(transactional(P, 0, 0, "p"));
        append(transactional(Q, 0, 0, "q"));
        assertThat(log.firstUnstableOffset()).isOne();

        end(P, 0, true, TV1);

        // the marker is not replicated yet
        assertThat(log.firstUnstableOffset()).isOne();
        log.onHighWatermark(4);
        assertThat(log.firstUnstableOffset()).isEqualTo(2);
        end(Q, 0, true, TV1);
        log.onHighWatermark(5);
        assertThat(log.firstUnstableOffset()).isEqualTo(log.logEndOffset());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void abortedTransactionsAreListedForTheRangeTheyTouch(int restarts) throws IOException {
        append(transactional(P, 0, 0, "p0")); // 0
        append(transactional(Q, 0, 0, "q0")); // 1
        end(P, 0, false, TV1); // 2
        append(transactional(P, 0, 1, "p1")); // 3
        end(Q, 0, true, TV1); // 4
        end(P, 0, true, TV1); // 5
        log.onHighWatermark(6);
        if (restarts > 0) {
            restart(restarts == 1);
            log.onHighWatermark(6);
        }

        assertThat(aborted(0)).containsExactly(new ReadResult.AbortedTransaction(P, 0));
        assertThat(aborted(2)).containsExactly(new ReadResult.AbortedTransaction(P, 0));
        assertThat(aborted(3)).isEmpty();
        assertThat(log.firstUnstableOffset()).isEqualTo(6);
    }

    @Test
    void anAbortedTransactionIsListedThoughOneThatBeganLaterWasAbortedBeforeIt() throws IOException {
        append(transactional(P, 0, 0, "p0")); // 0
        append(transactional(Q, 0, 0, "q0")); // 1
        end(Q, 0, false, TV1); // 2
        end(P, 0, false, TV1); // 3
        log.onHighWatermark(4);

        assertThat(aborted(0, 2))
                .containsExactlyInAnyOrder(
                        new ReadResult.AbortedTransaction(P, 0), new ReadResult.AbortedTransaction(Q, 1));
        assertThat(aborted(0, 1)).containsExactly(new ReadResult.AbortedTransaction(P, 0));
    }

    private List<ReadResult.AbortedTransaction> aborted(long from) throws IOException {
        return aborted(from, 6);
    }

    private List<ReadResult.AbortedTransaction> aborted(long from, long upTo) throws IOException {
        ReadResult read = log.read(from, 1 << 20, upTo, true, true);
        if (read.records() instanceof LogSlice slice) {
            slice.release();
        }
        return read.aborted();
    }

    @Test
    void aBatchOutsideTheOpenTransactionIsRefused() {
        append(transactional(P, 0, 0, "a"));

        assertThatThrownBy(() -> append(idempotent(P, 0, 1, "b"))).isInstanceOf(InvalidTxnStateException.class);
    }

    @Test
    void anOpenTransactionIsStillOpenAfterACrash() {
        append(transactional(P, 0, 0, "a"));

        restart(false);

        log.onHighWatermark(1);
        assertThat(log.firstUnstableOffset()).isZero();
        assertThat(log.activeProducers().get(0).currentTransactionStartOffset()).isZero();
    }

    @Test
    void anAbortIsIndexedWithItsOffsetsAndTheStableOffsetOfThatMoment() throws IOException {
        append(transactional(P, 0, 0, "p")); // 0
        append(transactional(Q, 0, 0, "q")); // 1
        end(P, 0, false, TV1); // 2
        end(Q, 0, false, TV1); // 3

        assertThat(((SegmentedLog) log).view().active().transactions().entries())
                .containsExactly(new TransactionIndex.Aborted(P, 0, 2, 1), new TransactionIndex.Aborted(Q, 1, 3, 4));
    }

    @Test
    void aMarkerWithoutATransactionChangesNoOffsetsVisibility() throws IOException {
        end(P, 0, false, TV1);
        log.onHighWatermark(1);

        assertThat(log.firstUnstableOffset()).isOne();
        assertThat(((SegmentedLog) log).view().active().transactions().entries())
                .isEmpty();
        assertThat(append(transactional(P, 0, 0, "a")).baseOffset()).isOne();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anOlderCoordinatorIsFenced(boolean restarted) {
        append(transactional(P, 0, 0, "a"));
        log.append(marker(P, 0, true, 7), AppendOrigin.COORDINATOR, 0, AppendTerms.marker(TV1));
        if (restarted) {
            restart(true);
        }

        assertThatThrownBy(
                        () -> log.append(marker(P, 0, true, 6), AppendOrigin.COORDINATOR, 0, AppendTerms.marker(TV1)))
                .isInstanceOf(TransactionCoordinatorFencedException.class);
    }

    @Test
    void aMarkerOfAnOldEpochIsRefused() {
        append(transactional(P, 4, 0, "a"));

        assertThatThrownBy(() -> end(P, 3, false, TV1)).isInstanceOf(InvalidProducerEpochException.class);
        assertThat(end(P, 4, false, TV1).baseOffset()).isOne();
    }

    @Test
    void aMarkerOfTransactionVersionTwoBringsANewEpoch() {
        append(transactional(P, 4, 0, "a"));

        assertThatThrownBy(() -> end(P, 4, true, TV2)).isInstanceOf(InvalidProducerEpochException.class);
        end(P, 5, true, TV2);

        assertThat(log.activeProducers().get(0).producerEpoch()).isEqualTo((short) 5);
        assertThatThrownBy(() -> append(transactional(P, 4, 1, "late")))
                .isInstanceOf(InvalidProducerEpochException.class);
        assertThat(append(transactional(P, 5, 0, "next")).baseOffset()).isEqualTo(2);
    }

    @Test
    void aMarkerOfTransactionVersionTwoMayBeSentAgain() {
        append(transactional(P, 4, 0, "a"));
        end(P, 5, true, TV2);

        end(P, 5, true, TV2);

        log.onHighWatermark(log.logEndOffset());
        assertThat(log.firstUnstableOffset()).isEqualTo(log.logEndOffset());
    }

    @Test
    void aLateMarkerOfTransactionVersionTwoDoesNotEndTheNextTransaction() {
        append(transactional(P, 4, 0, "a"));
        end(P, 5, true, TV2);
        append(transactional(P, 5, 0, "next"));

        assertThatThrownBy(() -> end(P, 5, true, TV2)).isInstanceOf(InvalidProducerEpochException.class);

        assertThat(log.activeProducers().get(0).currentTransactionStartOffset()).isEqualTo(2);
        end(P, 6, false, TV2);
        assertThat(log.activeProducers().get(0).currentTransactionStartOffset()).isEqualTo(-1);
    }

    @Test
    void aTransactionThatBeganWithTheLastEpochCanBeEnded() {
        append(transactional(P, Short.MAX_VALUE, 0, "a"));

        assertThat(end(P, Short.MAX_VALUE, false, TV2).baseOffset()).isOne();

        assertThat(log.activeProducers().get(0).currentTransactionStartOffset()).isEqualTo(-1);
    }

    // ---- verification (KIP-890)

    private AppendResult guarded(long guard, MemoryRecords records) {
        return log.append(records, AppendOrigin.CLIENT, 0, AppendTerms.guarded(guard));
    }

    @Test
    void aTransactionalBatchIsTakenWithTheGuardOfItsQuestionOnly() {
        long guard = log.beginVerification(P, (short) 0, 0, false);

        assertThatThrownBy(() -> guarded(AppendTerms.NO_GUARD, transactional(P, 0, 0, "a")))
                .isInstanceOf(InvalidTxnStateException.class);
        assertThatThrownBy(() -> guarded(guard + 1, transactional(P, 0, 0, "a")))
                .isInstanceOf(InvalidTxnStateException.class);
        assertThat(guarded(guard, transactional(P, 0, 0, "a")).baseOffset()).isZero();
        // the transaction is open now: nothing more is asked
        assertThat(log.beginVerification(P, (short) 0, 1, false)).isEqualTo(AppendTerms.NO_GUARD);
        assertThat(guarded(AppendTerms.NO_GUARD, transactional(P, 0, 1, "b")).baseOffset())
                .isOne();
    }

    @Test
    void aNewEpochIsVerifiedThoughATransactionOfTheOneBeforeIsOpen() {
        guarded(log.beginVerification(P, (short) 0, 0, true), transactional(P, 0, 0, "a"));

        long guard = log.beginVerification(P, (short) 1, 0, true);

        assertThat(guard).isNotEqualTo(AppendTerms.NO_GUARD);
        assertThatThrownBy(() -> guarded(AppendTerms.NO_GUARD, transactional(P, 1, 0, "b")))
                .isInstanceOf(InvalidTxnStateException.class);
    }

    @Test
    void aGuardFromBeforeAMarkerOpensNoTransaction() {
        // Given a question that was asked before the coordinator aborted
        long guard = log.beginVerification(P, (short) 0, 0, false);
        end(P, 0, false, TV1);
        // When its answer comes after the marker
        assertThatThrownBy(() -> guarded(guard, transactional(P, 0, 0, "a")))
                .isInstanceOf(InvalidTxnStateException.class);
        // Then the next transaction asks for itself
        long next = log.beginVerification(P, (short) 0, 0, false);
        assertThat(guarded(next, transactional(P, 0, 0, "a")).baseOffset()).isOne();
    }

    @Test
    void aLateMarkerOfTheTransactionBeforeLeavesTheGuardOfTheNextOneWithNewEpochs() {
        guarded(log.beginVerification(P, (short) 0, 0, true), transactional(P, 0, 0, "a"));
        end(P, 1, true, TV2);
        long guard = log.beginVerification(P, (short) 1, 0, true);
        end(P, 1, true, TV2); // sent again, as after a restart of the coordinator

        assertThat(guarded(guard, transactional(P, 1, 0, "b")).baseOffset()).isEqualTo(3);
    }

    @Test
    void whileALowerSequenceWaitsForItsVerificationNoHigherOneIsWritten() {
        log.beginVerification(P, (short) 0, 0, false);
        long guard = log.beginVerification(P, (short) 0, 3, false);

        assertThatThrownBy(() -> guarded(guard, transactional(P, 0, 3, "d")))
                .isInstanceOf(OutOfOrderSequenceException.class);
        guarded(guard, transactional(P, 0, 0, "a", "b", "c"));
        assertThat(guarded(AppendTerms.NO_GUARD, transactional(P, 0, 3, "d")).baseOffset())
                .isEqualTo(3);
    }

    @Test
    void aBatchThatComesAgainAfterItsTransactionHoldsUpNoneOfTheNext() {
        // Given a producer whose epoch stays, and a copy of its first batch that was under way for long
        guarded(log.beginVerification(P, (short) 0, 0, false), transactional(P, 0, 0, "a", "b"));
        end(P, 0, true, TV1);
        // When the copy arrives in the next transaction
        guarded(log.beginVerification(P, (short) 0, 0, false), transactional(P, 0, 0, "a", "b"));
        // Then the transaction's own first batch is taken all the same
        long guard = log.beginVerification(P, (short) 0, 2, false);
        assertThat(guarded(guard, transactional(P, 0, 2, "c")).baseOffset()).isEqualTo(3);
    }

    @Test
    void aProducerWithNewEpochsBeginsAtSequenceZeroWhereItIsNotKnown() {
        long guard = log.beginVerification(P, (short) 0, 2, true);

        assertThatThrownBy(() -> guarded(guard, transactional(P, 0, 2, "c")))
                .isInstanceOf(OutOfOrderSequenceException.class);
    }

    @Test
    void aFencedProducerIsToldSoBeforeItsCoordinatorIsAsked() {
        append(transactional(P, 4, 0, "a"));

        assertThatThrownBy(() -> log.beginVerification(P, (short) 3, 0, true))
                .isInstanceOf(InvalidProducerEpochException.class);
        assertThatThrownBy(() -> guarded(AppendTerms.NO_GUARD, transactional(P, 3, 0, "b")))
                .isInstanceOf(InvalidProducerEpochException.class);
    }
}
