package io.barnabas.coordinator.transaction;

import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/**
 * A leader's question to the coordinator before the first write of a transaction to a partition (KIP-890): a client of transaction
 * version 2 leaves it to the broker to add the partition; of earlier ones the broker verifies that it was added. Between the produce
 * path and {@link TransactionMembers}: the coordinator, here or on another broker.
 *
 * <p>Safe from any thread. As a rule the answer is there at once if the coordinator is here.
 */
public final class Enlistment {
    private final TransactionMembers coordinator;
    private final Clock clock;
    private final Ticker ticker;
    private final Executor workers;
    private final BooleanSupplier verification;

    /**
     * @param workers what is asked again is answered on these
     * @param verification transaction.partition.verification.enable, now
     */
    public Enlistment(
            TransactionMembers coordinator,
            Clock clock,
            Ticker ticker,
            Executor workers,
            BooleanSupplier verification) {
        this.coordinator = coordinator;
        this.clock = clock;
        this.ticker = ticker;
        this.workers = workers;
        this.verification = verification;
    }

    /** What the client's version of the request allows. */
    public enum Mode {
        /** Verify; the client does not know TRANSACTION_ABORTABLE. */
        VERIFY_QUIETLY,
        VERIFY,
        /** Add what has not been added: the client gets a new epoch with each transaction. */
        ADD;

        /** For Produce: 12 and later add, 11 knows the error. */
        public static Mode ofProduce(short version) {
            return version > 11 ? ADD : version > 10 ? VERIFY : VERIFY_QUIETLY;
        }

        /** For TxnOffsetCommit: 5 and later add, 4 knows the error. */
        public static Mode ofOffsetCommit(short version) {
            return version > 4 ? ADD : version > 3 ? VERIFY : VERIFY_QUIETLY;
        }
    }

    /** Whether the coordinator is to be asked at all. */
    public boolean isNeeded(Mode mode) {
        return mode == Mode.ADD || verification.getAsBoolean();
    }

    /** The partitions that must not be written to, with the error to tell the client. */
    public CompletableFuture<Map<TopicPartition, Errors>> enlist(TransactionPartitions request, Mode mode) {
        if (mode == Mode.ADD) {
            CompletableFuture<Map<TopicPartition, Errors>> answer = new CompletableFuture<>();
            add(request, clock.monotonicMillis() + coordinator.settings().retryMaxMs(), answer);
            return answer;
        }
        return coordinator.verify(request).thenApply(errors -> refused(errors, mode));
    }

    /** While the transaction before is still being ended it is asked again here: cheaper than sending the records again. */
    private void add(
            TransactionPartitions request, long untilMs, CompletableFuture<Map<TopicPartition, Errors>> answer) {
        var unused = coordinator
                .add(request, TransactionMetadata.EPOCH_BUMP_VERSION)
                .thenAccept(error -> {
                    if (error == Errors.CONCURRENT_TRANSACTIONS && clock.monotonicMillis() < untilMs) {
                        Runnable again = () -> add(request, untilMs, answer);
                        ticker.after(coordinator.settings().retryBackoffMs(), () -> workers.execute(again));
                    } else {
                        answer.complete(refused(TransactionCoordinator.all(request, error), Mode.ADD));
                    }
                });
    }

    private static Map<TopicPartition, Errors> refused(Map<TopicPartition, Errors> errors, Mode mode) {
        Map<TopicPartition, Errors> refused = new HashMap<>();
        errors.forEach((partition, error) -> {
            if (error != Errors.NONE) {
                refused.put(partition, told(error, mode));
            }
        });
        return refused;
    }

    private static Errors told(Errors error, Mode mode) {
        return switch (error) {
            case PRODUCER_FENCED -> Errors.INVALID_PRODUCER_EPOCH; // what producers expect of a write
            case TRANSACTION_ABORTABLE -> mode == Mode.VERIFY_QUIETLY ? Errors.INVALID_TXN_STATE : error;
            default -> error;
        };
    }
}
