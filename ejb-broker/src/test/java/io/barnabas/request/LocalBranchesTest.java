package io.barnabas.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.barnabas.port.TransactionBranches.Prepared;
import io.barnabas.port.TransactionBranches.Producer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.errors.NotCoordinatorException;
import org.junit.jupiter.api.Test;

/** The resource adapter's questions to the coordinator: asked again while that helps, and answered whatever happens. */
class LocalBranchesTest {
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

        assertThat(question.toCompletableFuture().join()).isEmpty();
        assertThat(broker.ticker.waiting()).isZero();
    }

    @Test
    void aQuestionThatHelpsNothingIsGivenUpInTheEnd() {
        broker.transactions.transactions.onResigned(0);
        CompletionStage<Producer> question = branches.begin("x");

        broker.ticker.advance(60_000);

        assertRefused(question);
    }

    @Test
    void whatWaitsWhenTheBrokerStopsIsAnswered() {
        broker.transactions.transactions.onResigned(0);
        CompletionStage<Producer> begin = branches.begin("x");
        CompletionStage<Producer> commit = branches.commit("y");
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
        Producer producer = branches.begin("x").toCompletableFuture().join();
        branches.close();
        branches.close();

        assertRefused(branches.begin("x"));
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
    void theDispatcherThatOffersThemClosesThem() {
        broker.transactions.transactions.onResigned(0);
        broker.dispatcher.offering(branches);
        CompletionStage<List<Prepared>> question = broker.dispatcher.branches().prepared();

        broker.dispatcher.close();

        assertRefused(question);
        assertRefused(broker.dispatcher.branches().prepared());
    }
}
