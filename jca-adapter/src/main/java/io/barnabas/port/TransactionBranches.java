package io.barnabas.port;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Transactions that somebody outside decides on (a transaction manager, by two-phase commit): what the resource adapter's XA stands on.
 * Each has a transactional id, one for each branch; it is written to with Produce requests of that id, under the identity that
 * {@link #begin} gave. A transaction has a time limit until it is prepared, so that one whose owner died does not stay open for ever: by
 * then it is prepared or ended, or the coordinator aborts it. From {@link #prepare} on it has none.
 *
 * <p>Safe from any thread; answers come on any. What fails, fails with an exception of {@code org.apache.kafka.common.errors}; while a
 * coordinator is loading or ends the transaction before, it is asked again for some seconds first. When the broker stops, what is not
 * answered yet and what is asked later fails with NotCoordinatorException; what was asked may have been done nevertheless.
 */
public interface TransactionBranches {
    /** Who writes a transaction: what its record batches carry. */
    record Producer(long id, short epoch) {}

    /** What is known of a transaction once it is asked to prepare. */
    enum Vote {
        /** It waits for its decision, whatever happens to this process meanwhile. */
        PREPARED,
        /** Nothing was written in it: there is nothing to decide. */
        READ_ONLY
    }

    /**
     * A transaction that waits for its decision.
     *
     * @param producer who wrote it
     * @param startedMs when it began, in ms since 1970
     * @param preparedMs when it was prepared, in ms since 1970
     */
    record Prepared(String transactionalId, Producer producer, long startedMs, long preparedMs) {}

    /**
     * Begins: fences whoever had the id, and aborts a transaction of it that is open.
     *
     * @param timeoutMs longest time in ms from a transaction's first record to {@link #prepare} or {@link #end}; at most
     *     {@code transaction.max.timeout.ms}
     * @return who the producer is; fails with InvalidTxnStateException if the id has a prepared transaction, which stays, with
     *     InvalidTxnTimeoutException if the time is not positive or too long
     */
    CompletionStage<Producer> begin(String transactionalId, int timeoutMs);

    /**
     * Prepares the transaction that {@code producer} has written; everything written must have been acknowledged, and {@code producer}
     * must send nothing more. Once this is answered the vote is durable as {@code __transaction_state} is, no time ends the transaction,
     * and it waits for {@link #commit} or {@link #abort}. May be asked again.
     *
     * <p>What this does not do. {@code producer} is fenced at the coordinator, so no partition joins the transaction any more; but a
     * partition that is in already does not ask the coordinator, and takes a late batch of it until the transaction ends. And clients
     * may end it too: whoever initialises the id plainly (InitProducerId, {@code kafka-transactions forceTerminateTransaction}) aborts
     * it, whoever does so keeping it (KIP-939) decides on it. {@link #commit} then fails with InvalidTxnStateException if it was aborted.
     *
     * @return fails with ProducerFencedException or InvalidPidMappingException if somebody else has the id by now, or the transaction
     *     took too long and was aborted; with UnsupportedVersionException if the feature {@code transaction.version} is below 2
     */
    CompletionStage<Vote> prepare(String transactionalId, Producer producer);

    /**
     * Ends a transaction that was not prepared: a commit in one phase, or an abort.
     *
     * @return who the producer of the id's next transaction is, under the time limit of {@link #begin}; fails with
     *     InvalidTxnStateException if there is nothing to commit, with ProducerFencedException or InvalidPidMappingException as
     *     {@link #prepare}
     */
    CompletionStage<Producer> end(String transactionalId, Producer producer, boolean commit);

    /**
     * Commits a prepared transaction. May be asked again, after a restart too. The id's next transaction starts with {@link #begin}: the
     * limit that was taken off does not come back otherwise.
     *
     * @return completes when the decision is durable; fails with TransactionalIdNotFoundException if nobody knows the id, with
     *     InvalidTxnStateException if it has no prepared transaction or that was aborted
     */
    CompletionStage<Void> commit(String transactionalId);

    /** Aborts a prepared transaction: as {@link #commit}. */
    CompletionStage<Void> abort(String transactionalId);

    /**
     * All that wait for a decision. Never an incomplete list: it fails with NotCoordinatorException or
     * CoordinatorLoadInProgressException while a part of them is not known, because a partition of {@code __transaction_state} is
     * loading or its directory has failed, and once the broker stops.
     */
    CompletionStage<List<Prepared>> prepared();
}
