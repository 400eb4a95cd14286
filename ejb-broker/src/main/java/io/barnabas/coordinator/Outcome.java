package io.barnabas.coordinator;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.ApiException;
import org.jspecify.annotations.Nullable;

/**
 * What an operation decided: records to append, and answers, to its own request or to others that waited. The runtime appends and
 * replays the records in the same step and releases the answers once everything that they rest on is committed.
 *
 * <p>Confined to the serial executor of its partition.
 */
public final class Outcome {
    private final List<CoordinatorRecord> records = new ArrayList<>(4);
    private final List<Answer<?>> answers = new ArrayList<>(2);
    private @Nullable Runnable onApplied;
    private @Nullable Consumer<ApiException> onRefused;
    private boolean divisible;
    private @Nullable TransactionalBatch transaction;
    private @Nullable TransactionMarker marker;
    private final int leaderEpoch;

    /** Of an operation outside any partition: for tests. */
    public Outcome() {
        this(-1);
    }

    Outcome(int leaderEpoch) {
        this.leaderEpoch = leaderEpoch;
    }

    /** The epoch under which the partition is led while the operation runs. */
    public int leaderEpoch() {
        return leaderEpoch;
    }

    /** Records are appended together, in one batch, unless {@link #divisible}. */
    public void append(CoordinatorRecord record) {
        records.add(record);
    }

    /** The records may go into several batches: each of them is right without the others (tombstones). */
    public void divisible() {
        divisible = true;
    }

    /** The records belong to a transaction: they are appended as its batch, and replayed as its producer's. */
    public void inTransaction(TransactionalBatch of) {
        transaction = of;
    }

    /** Appends the end of a transaction and replays it; such an operation appends no records. */
    public void end(TransactionMarker of) {
        marker = of;
    }

    /** Of several answers to one request the first counts. */
    public <T> void answer(CompletableFuture<T> reply, T value) {
        answers.add(new Answer<>(reply, value, null));
    }

    public void fail(CompletableFuture<?> reply, ApiException error) {
        answers.add(new Answer<>(reply, null, error));
    }

    /**
     * Runs when the records have been appended and replayed, before answers are released; it may add answers but no records. Several run
     * in their order.
     */
    public void ifApplied(Runnable action) {
        Runnable before = onApplied;
        onApplied = before == null
                ? action
                : () -> {
                    before.run();
                    action.run();
                };
    }

    /**
     * Runs when the append was refused: nothing was written and nothing replayed. It undoes what the operation did to state outside the
     * log, and may add answers but no records. Afterwards the operation's own request is failed, if it has no answer by then.
     */
    public void ifRefused(Consumer<ApiException> action) {
        onRefused = action;
    }

    /** What is to be appended, in order: for tests and the runtime. */
    public List<CoordinatorRecord> records() {
        return records;
    }

    @Nullable
    TransactionalBatch transaction() {
        return transaction;
    }

    @Nullable
    TransactionMarker marker() {
        return marker;
    }

    boolean writes() {
        return marker != null || !records.isEmpty();
    }

    boolean isDivisible() {
        return divisible;
    }

    boolean hasAnswers() {
        return !answers.isEmpty();
    }

    void applied() {
        if (onApplied != null) {
            onApplied.run();
        }
    }

    void refused(CompletableFuture<?> reply, ApiException error) {
        answers.removeIf(answer -> answer.reply == reply);
        records.clear();
        marker = null;
        if (onRefused != null) {
            onRefused.accept(error);
        }
        fail(reply, error);
    }

    void release() {
        answers.forEach(Answer::give);
    }

    void failAll(ApiException error) {
        answers.forEach(answer -> answer.reply.completeExceptionally(error));
    }

    private record Answer<T>(
            CompletableFuture<T> reply,
            @Nullable T value,
            @Nullable ApiException error) {
        @SuppressWarnings("NullAway") // a value that is null is an answer, too
        void give() {
            if (error != null) {
                reply.completeExceptionally(error);
            } else {
                reply.complete(value);
            }
        }
    }
}
