package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.MemoryPartitionWriter;
import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.transaction.TransactionCoordinator.ProducerAnswer;
import io.barnabas.time.ManualClock;
import io.barnabas.time.ManualTicker;
import io.barnabas.time.Ticker;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** A transaction coordinator over a log in memory and a time that stands, with one partition, and words for what producers do. */
public final class TransactionFixture {
    public static final TopicPartition LOG = new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, 0);
    static final TopicPartition A = new TopicPartition("a", 0);
    static final TopicPartition B = new TopicPartition("b", 1);
    static final int TIMEOUT_MS = 60_000;
    static final short TV0 = 0;
    static final short TV2 = 2;

    private static final Logger LOGS =
            Logger.getLogger("io.barnabas.coordinator"); // held: loggers are weakly referenced

    static {
        LOGS.setLevel(Level.OFF);
    }

    /** A marker that was written. */
    record Written(TopicPartition partition, TransactionMarker marker) {}

    public final MemoryPartitionWriter log = new MemoryPartitionWriter();
    final List<Written> markers = new ArrayList<>();
    final Map<TopicPartition, Errors> refusals = new HashMap<>();
    final List<CompletableFuture<Void>> held = new ArrayList<>();
    public boolean holdMarkers;
    private final ManualClock clock = new ManualClock();
    private final ManualTicker ticker = new ManualTicker(clock);
    short level = TV2;
    long nextProducerId = 1_000;
    Supplier<CompletableFuture<Long>> producerIds = () -> CompletableFuture.completedFuture(nextProducerId++);
    private int epoch;
    public TransactionCoordinator transactions;

    /** Elected, with an empty log. */
    public TransactionFixture() {
        this.transactions = coordinator(Runnable::run);
        transactions.onElected(0, epoch);
    }

    /** A coordinator whose log is being read, and never to its end. */
    TransactionCoordinator loading() {
        TransactionCoordinator loading = coordinator(task -> {});
        loading.onElected(0, epoch);
        return loading;
    }

    private TransactionCoordinator coordinator(Executor workers) {
        return new TransactionCoordinator(
                TransactionCoordinatorSettings.defaults(),
                new Environment(clock, ticker, workers, log),
                new TransactionCoordinator.Cluster(() -> 1, () -> producerIds.get(), () -> level, this::write));
    }

    private CompletionStage<Void> write(TopicPartition partition, TransactionMarker marker) {
        Errors refusal = refusals.getOrDefault(partition, Errors.NONE);
        if (refusal != Errors.NONE) {
            return CompletableFuture.failedFuture(refusal.exception());
        }
        markers.add(new Written(partition, marker));
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (holdMarkers) {
            held.add(done);
        } else {
            done.complete(null);
        }
        return done;
    }

    /** What leaders of partitions ask it with. */
    public Enlistment enlistment(Ticker of) {
        return new Enlistment(transactions, clock, of, Runnable::run, () -> true);
    }

    public void releaseMarkers() {
        holdMarkers = false;
        List<CompletableFuture<Void>> all = List.copyOf(held);
        held.clear();
        all.forEach(one -> one.complete(null));
    }

    /** The broker dies and starts again: nothing but the log remains. */
    void restart() {
        transactions.close();
        transactions = coordinator(Runnable::run);
        transactions.onElected(0, ++epoch);
    }

    public void advance(long ms) {
        ticker.advance(ms);
    }

    static <T> T now(CompletableFuture<T> future) {
        if (!future.isDone()) {
            throw new AssertionError("not answered yet");
        }
        return future.join();
    }

    /** A producer begins; its id and epoch. */
    public ProducerIdentity init(String id) {
        ProducerAnswer answer = now(transactions.init(Initialisation.of(id, TIMEOUT_MS, null)));
        if (answer.error() != Errors.NONE) {
            throw new AssertionError(answer.error());
        }
        return answer.producer();
    }

    Errors initError(String id, @Nullable ProducerIdentity expected) {
        return now(transactions.init(Initialisation.of(id, TIMEOUT_MS, expected)))
                .error();
    }

    /** Partitions join the transaction. */
    public Errors add(String id, ProducerIdentity producer, short version, TopicPartition... partitions) {
        return now(transactions.add(new TransactionPartitions(id, producer, Arrays.asList(partitions)), version));
    }

    public ProducerAnswer end(String id, ProducerIdentity producer, boolean commit, short version) {
        return now(transactions.end(id, producer, commit, version));
    }

    public String state(String id) {
        return now(transactions.describe(id)).transactionState();
    }
}
