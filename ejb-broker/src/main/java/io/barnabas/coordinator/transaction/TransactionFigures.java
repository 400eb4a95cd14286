package io.barnabas.coordinator.transaction;

import io.barnabas.time.LatencyHistogram;
import java.util.concurrent.atomic.LongAdder;

/** What the coordinator has counted since its start, for metrics. The shards add, anybody reads. Safe from any thread. */
public final class TransactionFigures {
    private final LongAdder committed = new LongAdder();
    private final LongAdder aborted = new LongAdder();
    private final LongAdder timedOut = new LongAdder();
    private final LongAdder markersPending = new LongAdder();
    private final LongAdder markersRepeated = new LongAdder();
    private final LatencyHistogram ends = new LatencyHistogram();

    /**
     * All markers of a transaction are written.
     *
     * @param nanos since its end was decided
     */
    void ended(boolean commit, long nanos) {
        (commit ? committed : aborted).increment();
        ends.record(nanos);
    }

    void onTimeout() {
        timedOut.increment();
    }

    /** @param more partitions that wait for a marker, or fewer if negative */
    void markersPending(int more) {
        markersPending.add(more);
    }

    void markersRepeated(int count) {
        markersRepeated.add(count);
    }

    /** Transactions that were committed, with all their markers. */
    public long committed() {
        return committed.sum();
    }

    /** Transactions that were aborted, by whomever, with all their markers. */
    public long aborted() {
        return aborted.sum();
    }

    /** Transactions that took longer than their producer's time-out. */
    public long timedOut() {
        return timedOut.sum();
    }

    /** Partitions that wait for the marker of a transaction whose end was decided, now. */
    public long markersPending() {
        return markersPending.sum();
    }

    /** Markers that were written again, because their partition could not take them. */
    public long markersRepeated() {
        return markersRepeated.sum();
    }

    /** Time from the decision on a transaction, or from the restart after it, to the last marker. */
    public LatencyHistogram ends() {
        return ends;
    }
}
