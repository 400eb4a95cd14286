package io.barnabas.admin;

import java.util.List;

/**
 * A transactional id as a row of a list.
 *
 * @param state as Kafka names it: Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort, Empty; or Prepared for a
 *     transaction that waits, without a time limit, for somebody outside to decide on it
 * @param producerId of the present or last transaction
 * @param producerEpoch goes with {@code producerId}
 * @param timeoutMs longest duration of its transactions; -1 for none
 * @param ageMs since the transaction began, while it is open or ending; else -1
 * @param partitions of the transaction that is open or ending, by name
 */
public record TransactionView(
        String id,
        String state,
        long producerId,
        int producerEpoch,
        long timeoutMs,
        long ageMs,
        List<String> partitions) {}
