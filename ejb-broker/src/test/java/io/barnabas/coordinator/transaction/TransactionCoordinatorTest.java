package io.barnabas.coordinator.transaction;

import static io.barnabas.coordinator.transaction.TransactionFixture.A;
import static io.barnabas.coordinator.transaction.TransactionFixture.B;
import static io.barnabas.coordinator.transaction.TransactionFixture.TV0;
import static io.barnabas.coordinator.transaction.TransactionFixture.TV2;
import static io.barnabas.coordinator.transaction.TransactionFixture.now;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.coordinator.transaction.TransactionCoordinator.ProducerAnswer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a producer is told, step by step (KIP-98, KIP-360, KIP-890). */
class TransactionCoordinatorTest {
    private final TransactionFixture fixture = new TransactionFixture();

    private static ProducerIdentity next(ProducerIdentity producer) {
        return new ProducerIdentity(producer.id(), (short) (producer.epoch() + 1));
    }

    // ---- InitProducerId

    @Test
    void aNewIdBeginsAtEpochZeroAndEachInitialisationFencesTheOneBefore() {
        ProducerIdentity first = fixture.init("x");
        ProducerIdentity second = fixture.init("x");

        assertThat(first.epoch()).isZero();
        assertThat(second).isEqualTo(next(first));
        assertThat(fixture.add("x", first, TV0, A)).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.add("x", second, TV0, A)).isEqualTo(Errors.NONE);
    }

    @Test
    void timeoutsAboveTheBrokersAndBelowOneAreRefused() {
        assertThat(now(fixture.transactions.init(Initialisation.of("x", 900_001, null)))
                        .error())
                .isEqualTo(Errors.INVALID_TRANSACTION_TIMEOUT);
        assertThat(now(fixture.transactions.init(Initialisation.of("x", 0, null)))
                        .error())
                .isEqualTo(Errors.INVALID_TRANSACTION_TIMEOUT);
        assertThat(now(fixture.transactions.init(Initialisation.of("", 1, null)))
                        .error())
                .isEqualTo(Errors.INVALID_REQUEST);
    }

    @Test
    void aProducerBumpsItsOwnEpochAndMayAskAgainWhenTheAnswerWasLost() {
        ProducerIdentity first = fixture.init("x");
        ProducerAnswer bumped = now(fixture.transactions.init(Initialisation.of("x", 1_000, first)));
        ProducerAnswer again = now(fixture.transactions.init(Initialisation.of("x", 1_000, first)));

        assertThat(bumped.producer()).isEqualTo(next(first));
        assertThat(again.producer()).isEqualTo(bumped.producer());
        // another instance began: the old one may not
        fixture.init("x");
        assertThat(fixture.initError("x", first)).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.initError("x", new ProducerIdentity(99, (short) 0))).isEqualTo(Errors.PRODUCER_FENCED);
    }

    @Test
    void whenTheEpochsAreUsedUpAnotherProducerIdFollows() {
        ProducerIdentity producer = fixture.init("x");
        while (producer.epoch() < Short.MAX_VALUE - 1) {
            producer = fixture.init("x");
        }
        ProducerIdentity following = fixture.init("x");
        assertThat(following.id()).isNotEqualTo(producer.id());
        assertThat(following.epoch()).isZero();
    }

    @Test
    void onlyWhoNeedsANewProducerIdWaitsForOne() {
        ProducerIdentity known = fixture.init("known");
        CompletableFuture<Long> asked = new CompletableFuture<>();
        fixture.producerIds = () -> asked; // the controller is away
        fixture.restart();

        assertThat(fixture.init("known")).isEqualTo(next(known));
        var answer = fixture.transactions.init(Initialisation.of("new", 1_000, null));
        assertThat(answer).isNotDone();
        asked.complete(77L);
        assertThat(now(answer).producer()).isEqualTo(new ProducerIdentity(77, (short) 0));
    }

    @Test
    void anInitialisationIsToBeAskedAgainWhenNoProducerIdCame() {
        fixture.producerIds = () -> CompletableFuture.failedFuture(new TimeoutException());

        fixture.restart();
        assertThat(fixture.initError("new", null)).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS);
    }

    @ParameterizedTest
    @ValueSource(shorts = {0, 2})
    void anInitialisationAbortsTheOpenTransactionFirst(short level) {
        fixture.level = level;
        ProducerIdentity old = fixture.init("x");
        fixture.add("x", old, level, A, B);

        assertThat(fixture.initError("x", null)).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        assertThat(fixture.state("x")).isEqualTo("CompleteAbort");
        assertThat(fixture.markers)
                .extracting(TransactionFixture.Written::partition)
                .containsExactlyInAnyOrder(A, B);
        assertThat(fixture.markers).allSatisfy(written -> {
            assertThat(written.marker().commit()).isFalse();
            assertThat(written.marker().producerEpoch()).isEqualTo((short) (old.epoch() + 1));
        });
        assertThat(fixture.init("x").epoch()).isEqualTo((short) (old.epoch() + 2));
    }

    // ---- partitions

    @Test
    void partitionsJoinOnceAndAreVerified() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV0, A);
        long records = fixture.log.end(TransactionFixture.LOG);
        fixture.add("x", producer, TV0, A);

        assertThat(fixture.log.end(TransactionFixture.LOG)).isEqualTo(records);
        assertThat(now(fixture.transactions.verify(new TransactionPartitions("x", producer, List.of(A, B)))))
                .isEqualTo(Map.of(A, Errors.NONE, B, Errors.TRANSACTION_ABORTABLE));
        assertThat(now(fixture.transactions.verify(new TransactionPartitions("x", next(producer), List.of(A)))))
                .isEqualTo(Map.of(A, Errors.PRODUCER_FENCED));
        assertThat(fixture.add("y", producer, TV0, A)).isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
    }

    @Test
    void whileATransactionEndsNothingJoinsIt() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A);
        fixture.holdMarkers = true;
        ProducerAnswer ended = fixture.end("x", producer, true, TV2);

        assertThat(ended.error()).isEqualTo(Errors.NONE);
        assertThat(fixture.state("x")).isEqualTo("PrepareCommit");
        assertThat(fixture.add("x", ended.producer(), TV2, A)).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        assertThat(fixture.initError("x", null)).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        fixture.releaseMarkers();
        assertThat(fixture.state("x")).isEqualTo("CompleteCommit");
        assertThat(fixture.add("x", ended.producer(), TV2, A)).isEqualTo(Errors.NONE);
    }

    // ---- ends

    @ParameterizedTest
    @ValueSource(shorts = {0, 2})
    void anEndThatIsAskedForAgainWhileItsMarkersAreWrittenIsToBeAskedForLaterOrRefused(short version) {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, version, A);
        fixture.holdMarkers = true;
        fixture.end("x", producer, true, version);

        assertThat(fixture.end("x", producer, true, version).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        assertThat(fixture.end("x", producer, false, version).error()).isEqualTo(Errors.INVALID_TXN_STATE);
    }

    @ParameterizedTest(name = "version {0}, after commit {1}, again commit {2}: {3}")
    @CsvSource({
        "0, true, true, NONE",
        "0, true, false, INVALID_TXN_STATE",
        "0, false, false, NONE",
        "0, false, true, INVALID_TXN_STATE",
        "2, true, true, NONE",
        "2, true, false, INVALID_TXN_STATE",
        "2, false, false, NONE",
        "2, false, true, INVALID_TXN_STATE"
    })
    void anEndThatIsAskedForAgainIsTheSameOrRefused(short version, boolean first, boolean second, Errors expected) {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, version, A);
        ProducerAnswer ended = fixture.end("x", producer, first, version);
        ProducerAnswer again = fixture.end("x", producer, second, version);

        assertThat(again.error()).isEqualTo(expected);
        assertThat(fixture.markers).hasSize(1);
        if (version == TV2) {
            assertThat(ended.producer()).isEqualTo(next(producer));
            assertThat(again.producer()).isEqualTo(expected == Errors.NONE ? next(producer) : ProducerIdentity.NONE);
        } else {
            assertThat(ended.producer()).isEqualTo(ProducerIdentity.NONE);
        }
    }

    @Test
    void withNewEpochsNothingMayBeAbortedButNotCommitted() {
        ProducerIdentity producer = fixture.init("x");

        assertThat(fixture.end("x", producer, true, TV2).error()).isEqualTo(Errors.INVALID_TXN_STATE);
        ProducerAnswer aborted = fixture.end("x", producer, false, TV2);
        assertThat(aborted.producer()).isEqualTo(next(producer));
        assertThat(fixture.end("x", aborted.producer(), true, TV2).error()).isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(fixture.end("x", aborted.producer(), false, TV2).producer()).isEqualTo(next(aborted.producer()));
        assertThat(fixture.state("x")).isEqualTo("CompleteAbort");
    }

    @Test
    void beforeNewEpochsNothingIsEnded() {
        ProducerIdentity producer = fixture.init("x");

        assertThat(fixture.end("x", producer, true, TV0).error()).isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(fixture.end("x", producer, false, TV0).error()).isEqualTo(Errors.INVALID_TXN_STATE);
    }

    @Test
    void aFencedProducerEndsNothing() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A);

        assertThat(fixture.end("x", next(producer), true, TV2).error()).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.end("x", next(producer), true, TV0).error()).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.end("x", new ProducerIdentity(5, (short) 0), true, TV2)
                        .error())
                .isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
        assertThat(fixture.end("unknown", producer, true, TV2).error()).isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
    }

    @Test
    void theLastEpochIsFollowedByAnotherProducerId() {
        ProducerIdentity producer = fixture.init("x");
        while (producer.epoch() < Short.MAX_VALUE - 1) {
            producer = fixture.init("x");
        }
        fixture.add("x", producer, TV2, A);
        ProducerAnswer ended = fixture.end("x", producer, true, TV2);

        assertThat(ended.producer().id()).isNotEqualTo(producer.id());
        assertThat(ended.producer().epoch()).isZero();
        assertThat(fixture.markers.get(0).marker().producerId()).isEqualTo(producer.id());
        assertThat(fixture.markers.get(0).marker().producerEpoch()).isEqualTo(Short.MAX_VALUE);
        // the answer was lost: the producer asks again with what it was
        assertThat(fixture.end("x", producer, true, TV2).producer()).isEqualTo(ended.producer());
        assertThat(now(fixture.transactions.init(Initialisation.of("x", 1_000, producer)))
                        .producer()
                        .id())
                .isEqualTo(ended.producer().id());
    }

    // ---- markers

    @Test
    void markersThatFailAreWrittenAgainUntilAllAre() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A, B);
        fixture.refusals.put(B, Errors.NOT_LEADER_OR_FOLLOWER);
        fixture.end("x", producer, true, TV2);

        fixture.advance(100);
        assertThat(fixture.state("x")).isEqualTo("PrepareCommit");
        fixture.refusals.clear();
        fixture.advance(1_000);
        assertThat(fixture.state("x")).isEqualTo("CompleteCommit");
        assertThat(fixture.markers)
                .extracting(TransactionFixture.Written::partition)
                .containsExactly(A, B);
    }

    @Test
    void markersThatWereDecidedAreWrittenAfterARestart() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A, B);
        fixture.holdMarkers = true;
        fixture.end("x", producer, false, TV2);
        fixture.markers.clear();
        fixture.holdMarkers = false;

        fixture.restart();

        assertThat(fixture.state("x")).isEqualTo("CompleteAbort");
        assertThat(fixture.markers)
                .extracting(TransactionFixture.Written::partition)
                .containsExactlyInAnyOrder(A, B);
        assertThat(fixture.markers.get(0).marker().coordinatorEpoch()).isOne();
    }

    @Test
    void aDecisionIsNeitherAnsweredNorMarkedBeforeItIsCommitted() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A);
        fixture.log.holdCommits(true);
        var answer = fixture.transactions.end("x", producer, true, TV2);

        assertThat(answer).isNotDone();
        assertThat(fixture.markers).isEmpty();
        fixture.log.commitAll(TransactionFixture.LOG);
        assertThat(now(answer).error()).isEqualTo(Errors.NONE);
        assertThat(fixture.markers).hasSize(1);
    }

    @Test
    void aDecisionThatIsCommittedLateIsMarkedAllTheSame() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A);
        fixture.log.holdCommits(true);
        var answer = fixture.transactions.end("x", producer, true, TV2);
        fixture.advance(31_000);
        assertThat(now(answer).error()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);

        fixture.log.holdCommits(false);
        fixture.log.commitAll(TransactionFixture.LOG);
        fixture.advance(11_000);
        fixture.log.commitAll(TransactionFixture.LOG);
        assertThat(fixture.state("x")).isEqualTo("CompleteCommit");
    }

    @Test
    void aDecisionThatCannotBeWrittenChangesNothing() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A);
        fixture.log.refuse(new NotEnoughReplicasException("few"), 1);

        assertThat(fixture.end("x", producer, true, TV2).error()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(fixture.state("x")).isEqualTo("Ongoing");
        assertThat(fixture.end("x", producer, true, TV2).error()).isEqualTo(Errors.NONE);
    }

    @Test
    void anEndWhoseCompletionIsRefusedIsCompletedLater() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A);
        fixture.holdMarkers = true;
        fixture.end("x", producer, true, TV2);
        fixture.log.refuse(new NotEnoughReplicasException("few"), 1);
        fixture.releaseMarkers();
        assertThat(fixture.state("x")).isEqualTo("PrepareCommit");

        fixture.advance(2_000);
        assertThat(fixture.state("x")).isEqualTo("CompleteCommit");
    }

    // ---- time

    @ParameterizedTest
    @ValueSource(shorts = {0, 1, 2})
    void aTransactionThatTakesTooLongIsAbortedAndItsProducerFenced(short level) {
        fixture.level = level;
        short client = level < TV2 ? TV0 : TV2;
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, client, A);

        fixture.advance(TransactionFixture.TIMEOUT_MS + 10_001);

        assertThat(fixture.state("x")).isEqualTo("CompleteAbort");
        assertThat(fixture.markers).singleElement().satisfies(written -> assertThat(
                        written.marker().transactionVersion())
                .isEqualTo(client));
        if (client == TV0) {
            assertThat(fixture.end("x", producer, true, TV0).error()).isEqualTo(Errors.PRODUCER_FENCED);
        } else { // known as the end that it asks for, come the other way
            assertThat(fixture.end("x", producer, true, TV2).error()).isEqualTo(Errors.INVALID_TXN_STATE);
        }
        assertThat(fixture.add("x", producer, client, A)).isEqualTo(Errors.PRODUCER_FENCED);
    }

    @Test
    void idsThatNobodyUsesAreDropped() {
        ProducerIdentity idle = fixture.init("idle");
        fixture.advance(600_000_000);
        ProducerIdentity used = fixture.init("used");
        fixture.advance(10_000_000);

        assertThat(fixture.add("idle", idle, TV2, A)).isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
        assertThat(fixture.add("used", used, TV2, A)).isEqualTo(Errors.NONE);
        fixture.restart();
        assertThat(now(fixture.transactions.describe("idle")).errorCode())
                .isEqualTo(Errors.TRANSACTIONAL_ID_NOT_FOUND.code());
    }

    // ---- what is there after a restart, and what is listed

    @Test
    void theStateIsThatOfTheLogAfterARestart() {
        ProducerIdentity producer = fixture.init("x");
        fixture.add("x", producer, TV2, A, B);
        var before = now(fixture.transactions.describe("x"));

        fixture.restart();

        assertThat(now(fixture.transactions.describe("x"))).isEqualTo(before);
        assertThat(fixture.end("x", producer, true, TV2).error()).isEqualTo(Errors.NONE);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "2, 1"})
    void valuesAreWrittenInTheFormThatTheFeaturesLevelAllows(short level, short version) {
        fixture.level = level;
        fixture.add("x", fixture.init("x"), TV0, A);

        assertThat(fixture.log.batches(new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, 0)))
                .allSatisfy(batch ->
                        assertThat(batch.iterator().next().value().getShort()).isEqualTo(version));
    }

    @Test
    void idsOfALogThatIsBeingReadAreNotLeftOutOfAListUnsaid() {
        TransactionCoordinator loading = fixture.loading();

        assertThat(now(loading.list(new ListTransactionsRequestData())).errorCode())
                .isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
        assertThat(now(loading.describe("x")).errorCode()).isEqualTo(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
    }

    private List<String> listed(ListTransactionsRequestData request) {
        return now(fixture.transactions.list(request)).transactionStates().stream()
                .map(ListTransactionsResponseData.TransactionState::transactionalId)
                .sorted()
                .toList();
    }

    @Test
    void transactionsAreListedByStateProducerDurationAndPattern() {
        fixture.init("a1");
        ProducerIdentity open = fixture.init("b1");
        fixture.add("b1", open, TV2, A);
        fixture.advance(500);

        assertThat(listed(new ListTransactionsRequestData())).containsExactly("a1", "b1");
        assertThat(listed(new ListTransactionsRequestData().setStateFilters(List.of("Ongoing"))))
                .containsExactly("b1");
        assertThat(listed(new ListTransactionsRequestData().setProducerIdFilters(List.of(open.id()))))
                .containsExactly("b1");
        assertThat(listed(new ListTransactionsRequestData()
                        .setStateFilters(List.of("Ongoing"))
                        .setDurationFilter(500)))
                .isEmpty();
        assertThat(listed(new ListTransactionsRequestData().setTransactionalIdPattern("a.*")))
                .containsExactly("a1");
        var unknown = now(fixture.transactions.list(new ListTransactionsRequestData().setStateFilters(List.of("No"))));
        assertThat(unknown.unknownStateFilters()).containsExactly("No");
        assertThat(unknown.transactionStates()).isEmpty();
        assertThatThrownBy(() ->
                        fixture.transactions.list(new ListTransactionsRequestData().setTransactionalIdPattern("(")))
                .isInstanceOf(InvalidRegularExpression.class);
    }

    @Test
    void aPatternThatWouldGoOnWithoutEndIsRefused() {
        fixture.init("a".repeat(60) + "!");

        assertThatThrownBy(() -> now(fixture.transactions.list(new ListTransactionsRequestData()
                        .setTransactionalIdPattern("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b"))))
                .hasRootCauseInstanceOf(InvalidRegularExpression.class);
    }
}
