package io.barnabas.coordinator.transaction;

import java.util.Map;
import java.util.TreeMap;

/**
 * How many transactional ids there are in each state.
 *
 * @param byState keyed as {@link TransactionPicture#state}; a state that no id is in is there, too
 * @param oldestStartMs wall-clock time at which the oldest transaction began that is open or ending; Long.MAX_VALUE if there is none
 */
public record TransactionCensus(Map<String, Integer> byState, long oldestStartMs) {
    static TransactionCensus of(Iterable<Transactions.Entry> entries) {
        Map<String, Integer> byState = empty();
        long oldest = Long.MAX_VALUE;
        for (Transactions.Entry entry : entries) {
            TransactionMetadata metadata = entry.metadata();
            byState.merge(TransactionPicture.stateOf(metadata), 1, Integer::sum);
            if (!metadata.state().isIdle()) {
                oldest = Math.min(oldest, metadata.startTimestampMs());
            }
        }
        return new TransactionCensus(byState, oldest);
    }

    private static Map<String, Integer> empty() {
        Map<String, Integer> byState = new TreeMap<>();
        for (TransactionState state : TransactionState.values()) {
            if (state.isIdle() || state.isEnding() || state == TransactionState.ONGOING) {
                byState.put(state.title(), 0);
            }
        }
        byState.put(TransactionPicture.PREPARED, 0);
        return byState;
    }

    /** This one and another shard's together. */
    TransactionCensus and(TransactionCensus other) {
        Map<String, Integer> sum = new TreeMap<>(byState);
        other.byState.forEach((state, count) -> sum.merge(state, count, Integer::sum));
        return new TransactionCensus(sum, Math.min(oldestStartMs, other.oldestStartMs));
    }

    /** Of no ids. */
    static TransactionCensus none() {
        return new TransactionCensus(empty(), Long.MAX_VALUE);
    }
}
