package io.barnabas.coordinator.transaction;

import io.barnabas.coordinator.CoordinatorErrors;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.CoordinatorRuntime.Environment;
import io.barnabas.coordinator.CoordinatorRuntime.Operation;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * The transaction coordinator as the handlers of the transaction APIs and the produce path see it: finds the shard, and turns what goes
 * wrong into an error of the protocol.
 *
 * <p>Safe from any thread. An answer completes on the thread that asked if the shard is free and nothing need be waited for.
 */
public final class TransactionCoordinator implements TransactionMembers, AutoCloseable {
    private static final long RELOAD_DELAY_MS = 500;
    private static final int MAX_INLINE = 32;

    private final TransactionCoordinatorSettings settings;
    private final IntSupplier partitions;
    private final SpareProducerId producerIds;
    private final TransactionFigures figures = new TransactionFigures();
    private final CoordinatorRuntime<TransactionShard> runtime;

    /**
     * What the coordinator needs of the cluster.
     *
     * @param partitions how many the topic of transactions has; asked at every request
     * @param producerIds gives an id that no producer had before
     * @param level of the feature transaction.version, now
     * @param markers writes the ends of transactions to their partitions
     */
    public record Cluster(
            IntSupplier partitions,
            Supplier<CompletableFuture<Long>> producerIds,
            Supplier<Short> level,
            MarkerWriter markers) {}

    /** Makes it; it serves what {@link #onElected} gives it. */
    public TransactionCoordinator(TransactionCoordinatorSettings settings, Environment environment, Cluster cluster) {
        this(settings, environment, cluster, TransactionShard.Deciders.PRODUCT);
    }

    TransactionCoordinator(
            TransactionCoordinatorSettings settings,
            Environment environment,
            Cluster cluster,
            TransactionShard.Deciders deciders) {
        this.settings = settings;
        this.partitions = cluster.partitions();
        this.producerIds = new SpareProducerId(cluster.producerIds());
        this.runtime = new CoordinatorRuntime<>(
                new CoordinatorRuntime.Settings(
                        Topic.TRANSACTION_STATE_TOPIC_NAME, settings.commitTimeoutMs(), RELOAD_DELAY_MS, MAX_INLINE),
                environment,
                TransactionRecords.TYPES,
                (partition, timers) -> new TransactionShard(
                        new TransactionContext(
                                settings,
                                environment.clock(),
                                producerIds::take,
                                cluster.level(),
                                new Transactions(),
                                figures),
                        cluster.markers(),
                        timers,
                        deciders));
    }

    /** What it was made with. */
    @Override
    public TransactionCoordinatorSettings settings() {
        return settings;
    }

    /** What it has counted. */
    public TransactionFigures figures() {
        return figures;
    }

    /** The partition of the topic of transactions that a transactional id lives in. */
    public int partitionFor(String transactionalId) {
        return Utils.abs(transactionalId.hashCode()) % partitions.getAsInt();
    }

    /** This broker leads a partition of the topic of transactions now. */
    public void onElected(int partition, int leaderEpoch) {
        runtime.onElected(partition, leaderEpoch);
    }

    /** This broker no longer leads a partition of the topic of transactions. */
    public void onResigned(int partition) {
        runtime.onResigned(partition);
    }

    @Override
    public void close() {
        runtime.close();
    }

    /**
     * An error, or who the producer is from now on.
     *
     * @param ongoing the identity of a transaction that was kept for the producer to end, or {@link ProducerIdentity#NONE}
     */
    public record ProducerAnswer(Errors error, ProducerIdentity producer, ProducerIdentity ongoing) {
        static ProducerAnswer failed(Errors error) {
            return new ProducerAnswer(error, ProducerIdentity.NONE, ProducerIdentity.NONE);
        }
    }

    /**
     * InitProducerId 0–6 of a transactional id.
     *
     * @return the producer, or one of INVALID_REQUEST (no id, or it keeps and names an expected producer), INVALID_TRANSACTION_TIMEOUT,
     *     PRODUCER_FENCED (the expected producer is not the present one), INVALID_TXN_STATE (it spares a transaction that is prepared),
     *     UNSUPPORTED_VERSION (it keeps below transaction.version 2), UNKNOWN_SERVER_ERROR; and, to be asked again,
     *     CONCURRENT_TRANSACTIONS (the transaction before is being ended), COORDINATOR_LOAD_IN_PROGRESS (also while there is no new
     *     producer id), NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE (not committed in time)
     */
    public CompletableFuture<ProducerAnswer> init(Initialisation request) {
        if (request.transactionalId().isEmpty()) {
            return CompletableFuture.completedFuture(ProducerAnswer.failed(Errors.INVALID_REQUEST));
        }
        return this.<InitHandler.Begun>submitWithId(
                        request.transactionalId(),
                        (shard, reply, outcome) -> shard.init.handle(request, reply, outcome))
                .handle((begun, failure) -> failure == null
                        ? new ProducerAnswer(Errors.NONE, begun.producer(), begun.ongoing())
                        : ProducerAnswer.failed(CoordinatorErrors.of(failure)));
    }

    private static ProducerAnswer answer(@Nullable ProducerIdentity producer, @Nullable Throwable failure) {
        return producer == null || failure != null
                ? ProducerAnswer.failed(CoordinatorErrors.of(failure == null ? new IllegalStateException() : failure))
                : new ProducerAnswer(Errors.NONE, producer, ProducerIdentity.NONE);
    }

    /**
     * Prepares a transaction: no time ends it from then on, it waits for {@link #resolve}. Who may end it besides is said in README.md.
     *
     * @param producer who wrote it
     * @return false if nothing was written in it; or fails with INVALID_PRODUCER_ID_MAPPING (the id is unknown or another producer has
     *     it), PRODUCER_FENCED (it has gone on, as its limit was passed, or a client has taken the transaction over),
     *     CONCURRENT_TRANSACTIONS (it is being ended), UNSUPPORTED_VERSION (below transaction.version 2),
     *     COORDINATOR_LOAD_IN_PROGRESS (also while there is no new producer id), or as {@link CoordinatorRuntime#submit}; to be read with
     *     {@link CoordinatorErrors#of}
     */
    public CompletableFuture<Boolean> prepare(String transactionalId, ProducerIdentity producer) {
        return submitWithId(
                transactionalId,
                (shard, reply, outcome) -> shard.prepared.prepare(transactionalId, producer, reply, outcome));
    }

    /**
     * Ends a prepared transaction; again if it has ended this way already.
     *
     * @return who the producer is from then on; or fails with TRANSACTIONAL_ID_NOT_FOUND, INVALID_TXN_STATE (it is not prepared, or has
     *     ended the other way), COORDINATOR_LOAD_IN_PROGRESS (also while there is no new producer id), or as
     *     {@link CoordinatorRuntime#submit}; to be read with {@link CoordinatorErrors#of}
     */
    public CompletableFuture<ProducerIdentity> resolve(String transactionalId, boolean commit) {
        return submitWithId(
                transactionalId,
                (shard, reply, outcome) -> shard.prepared.resolve(transactionalId, commit, reply, outcome));
    }

    /**
     * All prepared transactions; never a part of them.
     *
     * @param topicPartitions how many partitions the topic of transactions has; 0 if there is no such topic yet
     * @return fails with NOT_COORDINATOR if one of them is not led here or this is closed, COORDINATOR_LOAD_IN_PROGRESS while one loads
     */
    public CompletableFuture<List<TransactionPicture>> prepared(int topicPartitions) {
        return all(runtime.submitToAll(
                topicPartitions, (shard, reply, outcome) -> outcome.answer(reply, shard.queries.prepared())));
    }

    /**
     * Every transactional id of this broker's shards; fails with COORDINATOR_LOAD_IN_PROGRESS while one of these is loading. Ids in
     * partitions that are not led here are left out.
     */
    public CompletableFuture<List<TransactionPicture>> pictures() {
        return all(runtime.submitAll((shard, reply, outcome) -> outcome.answer(reply, shard.queries.pictures())));
    }

    /** How many ids are in which state; a shard that is loading is left out. */
    public CompletableFuture<TransactionCensus> census() {
        List<CompletableFuture<TransactionCensus>> shards =
                runtime.submitAll((shard, reply, outcome) -> outcome.answer(reply, shard.queries.census()));
        CompletableFuture<TransactionCensus> all = CompletableFuture.completedFuture(TransactionCensus.none());
        for (CompletableFuture<TransactionCensus> shard : shards) {
            all = all.thenCombine(shard.exceptionally(failure -> TransactionCensus.none()), TransactionCensus::and);
        }
        return all;
    }

    private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<List<T>>> shards) {
        return CompletableFuture.allOf(shards.toArray(new CompletableFuture<?>[0]))
                .thenApply(nothing ->
                        shards.stream().flatMap(shard -> shard.join().stream()).toList());
    }

    /**
     * Partitions join the producer's transaction: AddPartitionsToTxn, AddOffsetsToTxn.
     *
     * @param version transaction version of the client: 2 if it gets a new epoch with each transaction, else 0
     * @return NONE or the error for all of them
     */
    @Override
    public CompletableFuture<Errors> add(TransactionPartitions request, short version) {
        if (request.transactionalId().isEmpty()) {
            return CompletableFuture.completedFuture(Errors.INVALID_REQUEST);
        }
        return this.<Errors>submit(
                        request.transactionalId(),
                        (shard, reply, outcome) -> shard.join.add(request, version, reply, outcome))
                .exceptionally(CoordinatorErrors::of);
    }

    /** Whether partitions have joined the producer's transaction: for each NONE or an error. */
    @Override
    public CompletableFuture<Map<TopicPartition, Errors>> verify(TransactionPartitions request) {
        if (request.transactionalId().isEmpty()) {
            return CompletableFuture.completedFuture(all(request, Errors.INVALID_REQUEST));
        }
        return this.<Map<TopicPartition, Errors>>submit(
                        request.transactionalId(),
                        (shard, reply, outcome) -> outcome.answer(reply, shard.join.verify(request)))
                .exceptionally(failure -> all(request, CoordinatorErrors.of(failure)));
    }

    static Map<TopicPartition, Errors> all(TransactionPartitions request, Errors error) {
        Map<TopicPartition, Errors> errors = new HashMap<>();
        request.partitions().forEach(partition -> errors.put(partition, error));
        return errors;
    }

    /**
     * EndTxn 0–5: answered when the decision is committed; the markers follow.
     *
     * @param version transaction version of the client: 2 if it gets a new epoch with each transaction, else 0
     * @return with version 2, the producer from now on
     */
    public CompletableFuture<ProducerAnswer> end(
            String transactionalId, ProducerIdentity producer, boolean commit, short version) {
        if (transactionalId.isEmpty()) {
            return CompletableFuture.completedFuture(ProducerAnswer.failed(Errors.INVALID_REQUEST));
        }
        EndHandler.Request request = new EndHandler.Request(transactionalId, producer, commit, version);
        return this.<ProducerIdentity>submit(
                        transactionalId, (shard, reply, outcome) -> shard.end.handle(request, reply, outcome))
                .handle(TransactionCoordinator::answer);
    }

    /** DescribeTransactions 0 of one transactional id. */
    public CompletableFuture<DescribeTransactionsResponseData.TransactionState> describe(String transactionalId) {
        Function<Errors, DescribeTransactionsResponseData.TransactionState> failed =
                error -> new DescribeTransactionsResponseData.TransactionState()
                        .setTransactionalId(transactionalId)
                        .setErrorCode(error.code());
        if (transactionalId.isEmpty()) {
            return CompletableFuture.completedFuture(failed.apply(Errors.INVALID_REQUEST));
        }
        return this.<DescribeTransactionsResponseData.TransactionState>submit(
                        transactionalId,
                        (shard, reply, outcome) -> outcome.answer(reply, shard.queries.describe(transactionalId)))
                .exceptionally(failure -> failed.apply(CoordinatorErrors.of(failure)));
    }

    /**
     * ListTransactions 0–2: the transactional ids of this broker's shards.
     *
     * @throws InvalidRegularExpression the pattern is none, or takes too long
     */
    public CompletableFuture<ListTransactionsResponseData> list(ListTransactionsRequestData request) {
        ListTransactionsResponseData response = new ListTransactionsResponseData();
        EnumSet<TransactionState> states = EnumSet.noneOf(TransactionState.class);
        for (String title : request.stateFilters()) {
            @Nullable TransactionState state = TransactionState.ofTitle(title);
            if (state == null) {
                response.unknownStateFilters().add(title);
            } else {
                states.add(state);
            }
        }
        TransactionQueries.Filter filter = new TransactionQueries.Filter(
                request.stateFilters().isEmpty() ? null : states,
                Set.copyOf(request.producerIdFilters()),
                request.durationFilter(),
                pattern(request.transactionalIdPattern()));
        List<CompletableFuture<List<ListTransactionsResponseData.TransactionState>>> shards =
                runtime.submitAll((shard, reply, outcome) -> outcome.answer(reply, shard.queries.list(filter)));
        return CompletableFuture.allOf(shards.toArray(new CompletableFuture<?>[0]))
                .handle((nothing, failure) -> gather(response, shards));
    }

    private static @Nullable Pattern pattern(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return null;
        }
        try {
            return Pattern.compile(text);
        } catch (PatternSyntaxException e) {
            throw new InvalidRegularExpression(
                    "Transaction ID pattern `" + text + "` is not a valid regular expression: " + e.getMessage() + ".");
        }
    }

    private static ListTransactionsResponseData gather(
            ListTransactionsResponseData response,
            List<CompletableFuture<List<ListTransactionsResponseData.TransactionState>>> shards) {
        List<ListTransactionsResponseData.TransactionState> listed = new ArrayList<>();
        for (CompletableFuture<List<ListTransactionsResponseData.TransactionState>> shard : shards) {
            try {
                listed.addAll(shard.join());
            } catch (RuntimeException e) {
                Errors error = CoordinatorErrors.of(e);
                if (error == Errors.INVALID_REGULAR_EXPRESSION) {
                    throw error.exception("The pattern takes too long to match");
                }
                if (error != Errors.NOT_COORDINATOR) { // its ids are another's to list
                    return response.setErrorCode(error.code());
                }
            }
        }
        return response.setTransactionStates(listed);
    }

    /**
     * Asks the shard, and again when a producer id is there if it needed one. Most ask for none: those are not to wait for the
     * controller, which may be away.
     */
    private <R> CompletableFuture<R> submitWithId(String transactionalId, Operation<TransactionShard, R> operation) {
        return this.<R>submit(transactionalId, operation)
                .exceptionallyCompose(failure -> CoordinatorErrors.cause(failure) instanceof SpareProducerId.NoneYet
                        ? producerIds
                                .ready()
                                .handle((id, nobody) -> id)
                                .thenCompose(unused -> this.<R>submit(transactionalId, operation))
                        : CompletableFuture.failedFuture(failure));
    }

    private <R> CompletableFuture<R> submit(String transactionalId, Operation<TransactionShard, R> operation) {
        return runtime.submit(partitionFor(transactionalId), operation);
    }
}
