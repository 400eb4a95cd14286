package io.barnabas.coordinator.transaction;

import static io.barnabas.coordinator.transaction.TransactionFixture.A;
import static io.barnabas.coordinator.transaction.TransactionFixture.B;
import static io.barnabas.coordinator.transaction.TransactionFixture.TIMEOUT_MS;
import static io.barnabas.coordinator.transaction.TransactionFixture.TV0;
import static io.barnabas.coordinator.transaction.TransactionFixture.TV2;
import static io.barnabas.coordinator.transaction.TransactionFixture.now;
import static org.assertj.core.api.Assertions.assertThat;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.transaction.Initialisation.Open;
import io.barnabas.coordinator.transaction.TransactionCoordinator.ProducerAnswer;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Transactions of a two-phase commit (KIP-939): kept by an initialisation, or prepared, and ended by whoever decides. */
class PreparedTransactionsTest {
    private static final long A_YEAR_MS = 365L * 24 * 3600 * 1000;
    private static final short LAST_EPOCH = Short.MAX_VALUE - 1;

    private final TransactionFixture fixture = new TransactionFixture();

    private static ProducerIdentity next(ProducerIdentity producer) {
        return new ProducerIdentity(producer.id(), (short) (producer.epoch() + 1));
    }

    private ProducerAnswer init(Open open, boolean twoPhase) {
        return now(fixture.transactions.init(new Initialisation("x", TIMEOUT_MS, null, twoPhase, open)));
    }

    private ProducerAnswer keep() {
        ProducerAnswer kept = init(Open.KEEP, true);
        assertThat(kept.error()).isEqualTo(Errors.NONE);
        return kept;
    }

    /** A producer with an open transaction of a two-phase commit on A and B. */
    private ProducerIdentity writing() {
        ProducerIdentity producer = init(Open.ABORT, true).producer();
        assertThat(fixture.add("x", producer, TV2, A, B)).isEqualTo(Errors.NONE);
        return producer;
    }

    /** The same, with the epoch that is the last of its producer id. */
    private ProducerIdentity writingInTheEpochBefore(int epochsLeft) {
        ProducerIdentity producer = fixture.init("x");
        while (producer.epoch() < LAST_EPOCH - epochsLeft) {
            producer = init(Open.ABORT, true).producer();
        }
        fixture.add("x", producer, TV2, A);
        return producer;
    }

    private static Errors errorOf(CompletableFuture<?> failed) {
        assertThat(failed).isCompletedExceptionally();
        return CoordinatorErrors.of(failed.handle((value, failure) -> failure).join());
    }

    private void assertMarkers(boolean commit, ProducerIdentity producer) {
        assertThat(fixture.markers).isNotEmpty().allSatisfy(written -> {
            assertThat(written.marker().commit()).isEqualTo(commit);
            assertThat(written.marker().producerId()).isEqualTo(producer.id());
            assertThat(written.marker().producerEpoch()).isEqualTo(producer.epoch());
        });
    }

    // ---- kept by an initialisation

    @Test
    void withoutAnOpenTransactionNothingIsKept() {
        ProducerAnswer first = keep();
        ProducerAnswer second = keep();

        assertThat(first.ongoing()).isEqualTo(ProducerIdentity.NONE);
        assertThat(second.ongoing()).isEqualTo(ProducerIdentity.NONE);
        assertThat(second.producer()).isEqualTo(next(first.producer()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aKeptTransactionIsEndedByTheProducerOfTheLastInitialisation(boolean commit) {
        ProducerIdentity writer = writing();
        ProducerAnswer first = keep();
        fixture.restart();
        ProducerAnswer second = keep();

        assertThat(first.ongoing()).isEqualTo(writer);
        assertThat(second.ongoing()).isEqualTo(writer);
        assertThat(second.producer()).isEqualTo(next(first.producer())).isEqualTo(next(next(writer)));
        assertThat(fixture.markers).isEmpty();
        // who had it before is fenced
        assertThat(fixture.end("x", writer, true, TV2).error()).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.end("x", first.producer(), true, TV2).error()).isEqualTo(Errors.PRODUCER_FENCED);

        ProducerAnswer ended = fixture.end("x", second.producer(), commit, TV2);

        assertThat(ended.producer()).isEqualTo(next(second.producer()));
        assertMarkers(commit, next(writer));
        assertThat(fixture.state("x")).isEqualTo(commit ? "CompleteCommit" : "CompleteAbort");
        assertThat(fixture.add("x", ended.producer(), TV2, A)).isEqualTo(Errors.NONE);
    }

    @Test
    void nothingJoinsAKeptTransaction() {
        ProducerIdentity writer = writing();
        ProducerIdentity keeper = keep().producer();

        assertThat(fixture.add("x", writer, TV2, A)).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.add("x", keeper, TV2, A)).isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(fixture.add("x", new ProducerIdentity(7, (short) 0), TV2, A))
                .isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
    }

    @Test
    void anEndThatIsAskedForAgainIsTheSame() {
        writing();
        ProducerIdentity keeper = keep().producer();
        fixture.holdMarkers = true;
        ProducerAnswer ended = fixture.end("x", keeper, true, TV2);

        assertThat(fixture.end("x", keeper, true, TV2).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        assertThat(fixture.end("x", keeper, false, TV2).error()).isEqualTo(Errors.INVALID_TXN_STATE);
        fixture.releaseMarkers();
        assertThat(fixture.end("x", keeper, true, TV2)).isEqualTo(ended);
        assertThat(fixture.end("x", keeper, false, TV2).error()).isEqualTo(Errors.INVALID_TXN_STATE);
    }

    @Test
    void aDecisionOnAKeptTransactionIsCarriedOutAfterARestart() {
        ProducerIdentity writer = writing();
        ProducerIdentity keeper = keep().producer();
        fixture.holdMarkers = true;
        fixture.end("x", keeper, true, TV2);
        fixture.markers.clear();
        fixture.holdMarkers = false;

        fixture.restart();

        assertMarkers(true, next(writer));
        assertThat(fixture.end("x", keeper, true, TV2).producer()).isEqualTo(next(keeper));
    }

    @Test
    void anInitialisationThatDoesNotKeepItAbortsIt() {
        ProducerIdentity writer = writing();
        ProducerIdentity keeper = keep().producer();

        assertThat(init(Open.ABORT, true).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        assertMarkers(false, next(writer));
        assertThat(init(Open.ABORT, true).producer().epoch())
                .isGreaterThan(next(keeper).epoch());
        assertThat(fixture.end("x", keeper, true, TV2).error()).isEqualTo(Errors.PRODUCER_FENCED);
    }

    @Test
    void aFencedWriterDoesNotAbortItByInitialisingItself() {
        ProducerIdentity writer = writing();
        keep();

        assertThat(fixture.initError("x", writer)).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.state("x")).isEqualTo("Ongoing");
    }

    @Test
    void onlyAProducerThatBeginsKeeps() {
        ProducerIdentity producer = init(Open.ABORT, true).producer();

        assertThat(now(fixture.transactions.init(new Initialisation("x", 1_000, producer, true, Open.KEEP)))
                        .error())
                .isEqualTo(Errors.INVALID_REQUEST);
        fixture.level = 1;
        assertThat(init(Open.KEEP, true).error()).isEqualTo(Errors.UNSUPPORTED_VERSION);
    }

    // ---- time

    @Test
    void aTransactionOfATwoPhaseCommitHasNoLimitWhateverTheRequestSays() {
        ProducerAnswer begun =
                now(fixture.transactions.init(new Initialisation("x", Integer.MAX_VALUE, null, true, Open.ABORT)));
        fixture.add("x", begun.producer(), TV2, A);

        fixture.advance(A_YEAR_MS);

        assertThat(fixture.state("x")).isEqualTo("Ongoing");
        assertThat(fixture.end("x", begun.producer(), true, TV2).error()).isEqualTo(Errors.NONE);
    }

    @Test
    void aKeptTransactionWithALimitIsAbortedAtIt() {
        ProducerIdentity writer = fixture.init("x");
        fixture.add("x", writer, TV2, A);
        ProducerIdentity keeper = init(Open.KEEP, false).producer();

        fixture.advance(2 * TIMEOUT_MS);

        assertMarkers(false, next(writer));
        assertThat(fixture.state("x")).isEqualTo("CompleteAbort");
        assertThat(fixture.end("x", keeper, true, TV2).error()).isEqualTo(Errors.INVALID_TXN_STATE);
    }

    @Test
    void aLimitDoesNotComeBack() {
        writing();
        assertThat(init(Open.KEEP, false).error()).isEqualTo(Errors.NONE);

        fixture.advance(A_YEAR_MS);

        assertThat(fixture.state("x")).isEqualTo("Ongoing");
    }

    // ---- epochs

    @Test
    void anInitialisationThatKeepsGoesOnWithAnotherIdWhenTheEpochsAreUsedUp() {
        ProducerIdentity writer = writingInTheEpochBefore(0);
        ProducerAnswer kept = keep();
        fixture.restart();

        assertThat(kept.ongoing()).isEqualTo(writer);
        assertThat(kept.producer().id()).isNotEqualTo(writer.id());
        assertThat(kept.producer().epoch()).isZero();
        assertThat(fixture.end("x", writer, true, TV2).error()).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.end("x", kept.producer(), true, TV2).producer()).isEqualTo(next(kept.producer()));
        assertMarkers(true, new ProducerIdentity(writer.id(), Short.MAX_VALUE));
    }

    @Test
    void theEndOfAKeptTransactionGoesOnWithAnotherIdWhenTheEpochsAreUsedUp() {
        ProducerIdentity writer = writingInTheEpochBefore(1);
        ProducerIdentity keeper = keep().producer();
        assertThat(keeper).isEqualTo(new ProducerIdentity(writer.id(), LAST_EPOCH));
        fixture.holdMarkers = true;

        ProducerAnswer ended = fixture.end("x", keeper, true, TV2);

        assertThat(ended.producer().id()).isNotEqualTo(writer.id());
        assertThat(ended.producer().epoch()).isZero();
        assertMarkers(true, keeper);
        assertThat(fixture.end("x", keeper, true, TV2).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        fixture.restart();
        fixture.releaseMarkers();
        assertThat(fixture.end("x", keeper, true, TV2)).isEqualTo(ended);
        assertThat(fixture.add("x", ended.producer(), TV2, A)).isEqualTo(Errors.NONE);
    }

    @Test
    void theIdsMayRunOutTwiceWithinOneTransaction() {
        ProducerIdentity writer = writingInTheEpochBefore(0);
        ProducerIdentity keeper = keep().producer();
        while (keeper.epoch() < LAST_EPOCH) {
            keeper = keep().producer();
        }
        ProducerAnswer ended = fixture.end("x", keeper, true, TV2);

        assertThat(ended.producer().id()).isNotIn(writer.id(), keeper.id());
        assertThat(ended.producer().epoch()).isZero();
        assertMarkers(true, new ProducerIdentity(writer.id(), Short.MAX_VALUE));
        assertThat(fixture.end("x", keeper, true, TV2)).isEqualTo(ended);
    }

    // ---- prepared by the resource adapter

    @Test
    void aPreparedTransactionWaitsThroughRestartsAndTimeForItsDecision() {
        ProducerIdentity writer = writing();
        assertThat(now(fixture.transactions.prepare("x", writer))).isTrue();
        assertThat(now(fixture.transactions.prepare("x", writer))).isTrue();

        fixture.restart();
        fixture.advance(A_YEAR_MS);

        assertThat(now(fixture.transactions.prepared(1))).singleElement().satisfies(picture -> {
            assertThat(picture.transactionalId()).isEqualTo("x");
            assertThat(picture.transaction()).isEqualTo(writer);
            assertThat(picture.state()).isEqualTo("Prepared");
            assertThat(picture.partitions()).containsExactlyInAnyOrder(A, B);
        });
        assertThat(fixture.state("x")).isEqualTo("Ongoing"); // as Kafka's protocol has no other word
        assertThat(fixture.add("x", writer, TV2, A)).isEqualTo(Errors.PRODUCER_FENCED);

        ProducerIdentity after = now(fixture.transactions.resolve("x", true));
        assertThat(now(fixture.transactions.resolve("x", true))).isEqualTo(after);
        assertThat(errorOf(fixture.transactions.resolve("x", false))).isEqualTo(Errors.INVALID_TXN_STATE);
        assertMarkers(true, next(writer));
        assertThat(now(fixture.transactions.prepared(1))).isEmpty();
        assertThat(fixture.add("x", after, TV2, A)).isEqualTo(Errors.NONE);
    }

    @Test
    void aDecisionDoesNotWaitForTheController() {
        ProducerIdentity writer = writing();
        fixture.producerIds = CompletableFuture::new; // nobody gives ids
        fixture.restart();

        assertThat(now(fixture.transactions.prepare("x", writer))).isTrue();
        now(fixture.transactions.resolve("x", true));
        assertMarkers(true, next(writer));
    }

    @Test
    void aPreparedTransactionIsAborted() {
        ProducerIdentity writer = writing();
        now(fixture.transactions.prepare("x", writer));

        now(fixture.transactions.resolve("x", false));

        assertMarkers(false, next(writer));
        assertThat(errorOf(fixture.transactions.resolve("x", true))).isEqualTo(Errors.INVALID_TXN_STATE);
    }

    @Test
    void aTransactionThatWroteNothingNeedsNoDecision() {
        ProducerIdentity producer = init(Open.ABORT, true).producer();

        assertThat(now(fixture.transactions.prepare("x", producer))).isFalse();
        assertThat(now(fixture.transactions.prepared(1))).isEmpty();
    }

    @Test
    void onlyItsOwnProducerPreparesATransaction() {
        ProducerIdentity old = writing();
        init(Open.ABORT, true);
        ProducerIdentity writer = writing();

        assertThat(errorOf(fixture.transactions.prepare("x", old))).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(errorOf(fixture.transactions.prepare("y", old))).isEqualTo(Errors.INVALID_PRODUCER_ID_MAPPING);
        assertThat(errorOf(fixture.transactions.resolve("x", true))).isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(errorOf(fixture.transactions.resolve("y", true))).isEqualTo(Errors.TRANSACTIONAL_ID_NOT_FOUND);
        assertThat(now(fixture.transactions.prepare("x", writer))).isTrue();
    }

    @Test
    void whoBeginsWithAPreparedTransactionIsRefusedIfHeSparesIt() {
        ProducerIdentity writer = writing();
        assertThat(init(Open.SPARE_PREPARED, false).error()).isEqualTo(Errors.CONCURRENT_TRANSACTIONS);
        writer = init(Open.SPARE_PREPARED, false).producer();
        fixture.add("x", writer, TV2, A);
        now(fixture.transactions.prepare("x", writer));

        assertThat(init(Open.SPARE_PREPARED, false).error()).isEqualTo(Errors.INVALID_TXN_STATE);
        assertThat(now(fixture.transactions.prepared(1))).hasSize(1);
    }

    @Test
    void theListOfPreparedTransactionsIsCompleteOrFails() {
        now(fixture.transactions.prepare("x", writing()));

        // a partition of the topic has no shard here, as its directory failed
        assertThat(errorOf(fixture.transactions.prepared(2))).isEqualTo(Errors.NOT_COORDINATOR);
        fixture.transactions.onResigned(0);
        assertThat(errorOf(fixture.transactions.prepared(1))).isEqualTo(Errors.NOT_COORDINATOR);
        // nobody has made the topic: nothing is prepared
        assertThat(now(fixture.transactions.prepared(0))).isEmpty();
        fixture.restart();
        assertThat(now(fixture.transactions.prepared(1))).hasSize(1);
    }

    @Test
    void whatIsPreparedIsNotKnownOnceTheCoordinatorIsClosed() {
        now(fixture.transactions.prepare("x", writing()));

        fixture.transactions.close();

        assertThat(errorOf(fixture.transactions.prepared(1))).isEqualTo(Errors.NOT_COORDINATOR);
        assertThat(errorOf(fixture.transactions.prepared(0))).isEqualTo(Errors.NOT_COORDINATOR);
    }

    @Test
    void aClientThatKeepsAPreparedTransactionDecidesOnIt() {
        ProducerIdentity writer = writing();
        now(fixture.transactions.prepare("x", writer));
        ProducerAnswer kept = init(Open.KEEP, false);

        assertThat(kept.ongoing()).isEqualTo(writer);
        assertThat(now(fixture.transactions.prepared(1))).hasSize(1);
        assertThat(fixture.end("x", kept.producer(), true, TV2).error()).isEqualTo(Errors.NONE);
        assertMarkers(true, next(writer));
    }

    // ---- the feature's level

    @ParameterizedTest
    @ValueSource(shorts = {0, 1})
    void whatWasPreparedBeforeADowngradeIsStillDecided(short level) {
        ProducerIdentity writer = writing();
        now(fixture.transactions.prepare("x", writer));
        fixture.level = level;

        ProducerIdentity after = now(fixture.transactions.resolve("x", true));
        fixture.restart();

        assertMarkers(true, next(writer));
        assertThat(fixture.add("x", after, TV0, A)).isEqualTo(Errors.NONE);
    }

    @Test
    void aClientOfAnOldVersionEndsWhatAnotherKept() {
        ProducerIdentity writer = writing();
        ProducerIdentity keeper = keep().producer();

        assertThat(fixture.end("x", writer, true, TV0).error()).isEqualTo(Errors.PRODUCER_FENCED);
        assertThat(fixture.end("x", keeper, true, TV0).error()).isEqualTo(Errors.NONE);
        assertMarkers(true, writer);
        assertThat(fixture.end("x", keeper, true, TV0).error()).isEqualTo(Errors.NONE);
        assertThat(fixture.add("x", keeper, TV0, A)).isEqualTo(Errors.NONE);
    }
}
