package io.barnabas.request;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.transaction.Initialisation;
import io.barnabas.coordinator.transaction.ProducerIdentity;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionCoordinator.ProducerAnswer;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.TopicImage;
import io.barnabas.port.TransactionBranches;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transaction coordinator as the resource adapter sees it, without a socket between. Does what a client does on its own: has the
 * coordinator's topic made, and asks again what only takes time. Closed with the dispatcher that offers it; every question is answered
 * then. Safe from any thread.
 */
public final class LocalBranches implements TransactionBranches, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalBranches.class);

    /** What passes by itself. */
    private static final Set<Errors> PASSING =
            EnumSet.of(Errors.CONCURRENT_TRANSACTIONS, Errors.COORDINATOR_LOAD_IN_PROGRESS, Errors.NOT_COORDINATOR);

    /** Transaction version of whom gets a new epoch with each transaction (KIP-890). */
    private static final short VERSION = 2;

    private final TransactionCoordinator coordinator;
    private final Metadata metadata;
    private final AutoTopicCreation creation;
    private final Time time;
    private final AtomicLong questions = new AtomicLong();
    /** What is not answered yet, by the question's number. */
    private final Map<Long, CompletableFuture<?>> open = new ConcurrentHashMap<>();

    private volatile boolean closed;

    /** @param creation makes the coordinator's topic */
    public LocalBranches(TransactionCoordinator coordinator, Metadata metadata, AutoTopicCreation creation, Time time) {
        this.coordinator = coordinator;
        this.metadata = metadata;
        this.creation = creation;
        this.time = time;
    }

    /**
     * When it is asked again.
     *
     * @param workers ask again
     */
    public record Time(Clock clock, Ticker ticker, Executor workers) {}

    @Override
    public CompletionStage<Producer> begin(String transactionalId, int timeoutMs) {
        if (!closed && metadata.image().topic(Topic.TRANSACTION_STATE_TOPIC_NAME) == null) {
            creation.create(Set.of(Topic.TRANSACTION_STATE_TOPIC_NAME));
        }
        Initialisation request =
                new Initialisation(transactionalId, timeoutMs, null, false, Initialisation.Open.SPARE_PREPARED);
        return patiently(() -> producer(coordinator.init(request)));
    }

    @Override
    public CompletionStage<Vote> prepare(String transactionalId, Producer producer) {
        return patiently(() -> coordinator.prepare(transactionalId, identity(producer)))
                .thenApply(prepared -> prepared ? Vote.PREPARED : Vote.READ_ONLY);
    }

    @Override
    public CompletionStage<Producer> end(String transactionalId, Producer producer, boolean commit) {
        return patiently(() -> producer(coordinator.end(transactionalId, identity(producer), commit, VERSION)));
    }

    @Override
    public CompletionStage<Void> commit(String transactionalId) {
        return resolve(transactionalId, true);
    }

    @Override
    public CompletionStage<Void> abort(String transactionalId) {
        return resolve(transactionalId, false);
    }

    private CompletionStage<Void> resolve(String transactionalId, boolean commit) {
        return patiently(() -> coordinator.resolve(transactionalId, commit)).thenAccept(next -> {
            // its transactions would have no time limit: the next one begins anew
        });
    }

    @Override
    public CompletionStage<List<Prepared>> prepared() {
        return patiently(() -> coordinator.prepared(topicPartitions())).thenApply(pictures -> pictures.stream()
                .map(picture -> new Prepared(
                        picture.transactionalId(),
                        producer(picture.transaction()),
                        picture.startTimestampMs(),
                        picture.lastUpdateTimestampMs()))
                .toList());
    }

    /** Asked anew each time: a topic may be made in between. */
    private int topicPartitions() {
        @Nullable TopicImage topic = metadata.image().topic(Topic.TRANSACTION_STATE_TOPIC_NAME);
        return topic == null ? 0 : topic.partitions().size();
    }

    private static ProducerIdentity identity(Producer producer) {
        return new ProducerIdentity(producer.id(), producer.epoch());
    }

    private static Producer producer(ProducerIdentity identity) {
        return new Producer(identity.id(), identity.epoch());
    }

    private static CompletableFuture<Producer> producer(CompletableFuture<ProducerAnswer> answer) {
        return answer.thenApply(given -> {
            if (given.error() != Errors.NONE) {
                throw given.error().exception();
            }
            return producer(given.producer());
        });
    }

    private <T> CompletableFuture<T> patiently(Supplier<CompletableFuture<T>> question) {
        CompletableFuture<T> reply = new CompletableFuture<>();
        long number = questions.incrementAndGet();
        open.put(number, reply);
        var unused = reply.whenComplete((answer, failure) -> open.remove(number));
        if (closed) { // after the put: a close that does not see the reply is seen here
            fail(reply);
        } else {
            ask(question, time.clock.monotonicMillis() + coordinator.settings().commitTimeoutMs(), reply);
        }
        return reply;
    }

    private <T> void ask(Supplier<CompletableFuture<T>> question, long untilMs, CompletableFuture<T> reply) {
        if (closed) {
            return; // the reply is given
        }
        var unused = question.get().whenComplete((answer, failure) -> {
            if (failure == null) {
                reply.complete(answer);
                return;
            }
            Errors error = CoordinatorErrors.of(failure);
            if (PASSING.contains(error) && time.clock.monotonicMillis() < untilMs) {
                Runnable again = () -> ask(question, untilMs, reply);
                time.ticker.after(coordinator.settings().retryBackoffMs(), () -> onWorker(again, reply));
            } else {
                reply.completeExceptionally(error.exception());
            }
        });
    }

    private void onWorker(Runnable again, CompletableFuture<?> reply) {
        try {
            time.workers.execute(again);
        } catch (RejectedExecutionException e) {
            LOG.debug("a question is not asked again: the workers have ended", e);
            fail(reply);
        }
    }

    private static void fail(CompletableFuture<?> reply) {
        reply.completeExceptionally(Errors.NOT_COORDINATOR.exception());
    }

    /**
     * Nothing is asked any more: what waits for an answer, and what comes later, fails with NotCoordinatorException. To be called before
     * ticker and workers end, which drop what they have. What was asked may still have been done, as with an answer that is lost.
     * Idempotent, and safe from any thread.
     */
    @Override
    public void close() {
        closed = true;
        open.values().forEach(LocalBranches::fail);
    }
}
