package io.barnabas.coordinator;

/**
 * The state of one partition of a coordinator's topic. Operations (see {@link CoordinatorRuntime#submit}) read it and say in an
 * {@link Outcome} what to append and what to answer; what is in the log changes by {@link #replay} alone, so that a start and a running
 * broker come to the same state.
 *
 * <p>Confined to the serial executor of its partition; while loading, to one worker.
 */
public interface CoordinatorShard {
    /**
     * Applies a record that is in the log.
     *
     * @param offset of the record
     * @param producerId of the record's batch, -1 outside transactions
     */
    void replay(long offset, long producerId, CoordinatorRecord record);

    /** Applies a transaction marker: pending records of the producer take effect, or are dropped. */
    void replayMarker(long producerId, boolean committed);

    /** The whole log has been replayed and operations begin: starts timers. */
    void onLoaded(Outcome outcome);

    /** The partition is no longer ours: answers whoever waits, and stops timers. Records are not taken any more. */
    void onUnloaded(Outcome outcome);
}
