package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionFixture;
import io.barnabas.port.TransactionBranches.Prepared;
import io.barnabas.port.TransactionBranches.Producer;
import io.barnabas.port.TransactionBranches.Vote;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTxnTimeoutException;
import org.apache.kafka.common.errors.NotCoordinatorException;
import org.junit.jupiter.api.Test;

/** The resource adapter's questions to the coordinator: asked again while that helps, and answered whatever happens. */
class LocalBranchesTest {
    private static final int TIMEOUT_MS = 60_000;

    private final DataPathFixture broker = new DataPathFixture();
    private final LocalBranches branches = branches(Runnable::run);

    LocalBranchesTest() {
        broker.createTopic("__transaction_state", 1);
    }

    private LocalBranches branches(Executor workers) {
        return new LocalBranches(
                broker.transactions.transactions,
                broker.metadata.metadata(),
                new AutoTopicCreation(new ControlPlaneFixture().plane),
                new LocalBranches.Time(broker.ticker, broker.ticker, workers));
    }

    private static <T> T now(CompletionStage<T> question) {
        assertThat(question.toCompletableFuture()).isDone();
        return question.toCompletableFuture().join();
    }

    private static void assertRefused(CompletionStage<?> question) {
        assertThat(question.toCompletableFuture()).isCompletedExceptionally();
        assertThatThrownBy(() -> question.toCompletableFuture().join())
                .hasCauseInstanceOf(NotCoordinatorException.class);
    }

    @Test
    void aQuestionIsAskedAgainUntilTheCoordinatorIsThere() {
        broker.transactions.transactions.onResigned(0);
        CompletionStage<List<Prepared>> question = branches.prepared();
        broker.ticker.advance(1_000);
        assertThat(question.toCompletableFuture()).isNotDone();

        broker.transactions.transactions.onElected(0, 1);
        broker.ticker.advance(1_000);

        assertThat(now(question)).isEmpty();
        assertThat(broker.ticker.waiting()).isZero();
    }

    @Test
    void aQuestionThatHelpsNothingIsGivenUpInTheEnd() {
        broker.transactions.transactions.onResigned(0);
        CompletionStage<Producer> question = branches.begin("x", TIMEOUT_MS);

        broker.ticker.advance(60_000);

        assertRefused(question);
    }

    @Test
    void whatWaitsWhenTheBrokerStopsIsAnswered() {
        broker.transactions.transactions.onResigned(0);
        CompletionStage<Producer> begin = branches.begin("x", TIMEOUT_MS);
        CompletionStage<Void> commit = branches.commit("y");
        CompletionStage<List<Prepared>> prepared = branches.prepared();

        branches.close();

        assertRefused(begin);
        assertRefused(commit);
        assertRefused(prepared);
        broker.ticker.advance(60_000);
        assertThat(broker.ticker.waiting()).isZero(); // and nothing is asked again
    }

    @Test
    void whatIsAskedAfterTheStopIsRefusedAtOnce() {
        Producer producer = now(branches.begin("x", TIMEOUT_MS));
        branches.close();
        branches.close();

        assertRefused(branches.begin("x", TIMEOUT_MS));
        assertRefused(branches.prepare("x", producer));
        assertRefused(branches.end("x", producer, false));
        assertRefused(branches.commit("x"));
        assertRefused(branches.abort("x"));
        assertRefused(branches.prepared());
        assertThat(broker.ticker.waiting()).isZero();
    }

    @Test
    void aQuestionThatCannotBeAskedAgainIsAnswered() {
        broker.transactions.transactions.onResigned(0);
        CompletionStage<List<Prepared>> question = branches(task -> {
                    throw new RejectedExecutionException("the workers have ended");
                })
                .prepared();

        broker.ticker.advance(1_000);

        assertRefused(question);
    }

    @Test
    void aTransactionThatNobodyPreparesIsAbortedAtItsLimitAndOneThatIsPreparedIsNot() {
        TransactionFixture transactions = broker.transactions;
        for (String id : List.of("forgotten", "prepared")) {
            Producer begun = now(branches.begin(id, TIMEOUT_MS));
            transactions.add(
                    id, new ProducerIdentity(begun.id(), begun.epoch()), (short) 2, new TopicPartition("t", 0));
            if (id.equals("prepared")) {
                assertThat(now(branches.prepare(id, begun))).isEqualTo(Vote.PREPARED);
            }
        }

        transactions.advance(3 * TIMEOUT_MS);

        assertThat(transactions.state("forgotten")).isEqualTo("CompleteAbort");
        assertThat(now(branches.prepared()))
                .extracting(Prepared::transactionalId)
                .containsExactly("prepared");
        now(branches.commit("prepared"));
        assertThat(transactions.state("prepared")).isEqualTo("CompleteCommit");
    }

    @Test
    void aLimitThatWasTakenOffIsThereAgainForTheNextTransaction() {
        TransactionFixture transactions = broker.transactions;
        TopicPartition partition = new TopicPartition("t", 0);
        Producer first = now(branches.begin("x", TIMEOUT_MS));
        transactions.add("x", new ProducerIdentity(first.id(), first.epoch()), (short) 2, partition);
        now(branches.prepare("x", first));
        now(branches.commit("x"));

        Producer second = now(branches.begin("x", TIMEOUT_MS));
        transactions.add("x", new ProducerIdentity(second.id(), second.epoch()), (short) 2, partition);
        transactions.advance(3 * TIMEOUT_MS);

        assertThat(transactions.state("x")).isEqualTo("CompleteAbort");
    }

    @Test
    void aLimitIsWithinTheBrokers() {
        for (int timeoutMs : new int[] {-1, 0, 900_001, Integer.MAX_VALUE}) {
            assertThatThrownBy(() -> now(branches.begin("x", timeoutMs)))
                    .hasCauseInstanceOf(InvalidTxnTimeoutException.class);
        }
        now(branches.begin("x", 900_000));
    }

    @Test
    void theDispatcherThatOffersThemClosesThem() {
        broker.transactions.transactions.onResigned(0);
        broker.dispatcher.offering(branches);
        CompletionStage<List<Prepared>> question = broker.dispatcher.branches().prepared();

        broker.dispatcher.close();

        assertRefused(question);
        assertRefused(broker.dispatcher.branches().prepared());
    }
}
