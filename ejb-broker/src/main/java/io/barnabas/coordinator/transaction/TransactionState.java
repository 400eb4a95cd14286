package io.barnabas.coordinator.transaction;

import org.jspecify.annotations.Nullable;

/** Where a transactional id is in the life of its transactions; ids and names are Kafka's, on disk and in its administration. */
enum TransactionState {
    /** No transaction since the producer was initialised. */
    EMPTY(0, "Empty"),
    ONGOING(1, "Ongoing"),
    /** Decided: its markers are being written. */
    PREPARE_COMMIT(2, "PrepareCommit"),
    PREPARE_ABORT(3, "PrepareAbort"),
    COMPLETE_COMMIT(4, "CompleteCommit"),
    COMPLETE_ABORT(5, "CompleteAbort"),
    /** Expired; never on disk. */
    DEAD(6, "Dead"),
    /** An older producer is fenced on the way to PREPARE_ABORT; never on disk. */
    PREPARE_EPOCH_FENCE(7, "PrepareEpochFence");

    private final byte id;
    private final String title;

    TransactionState(int id, String title) {
        this.id = (byte) id;
        this.title = title;
    }

    byte id() {
        return id;
    }

    /** As DescribeTransactions and ListTransactions name it. */
    String title() {
        return title;
    }

    /** @throws IllegalStateException no state has this id */
    static TransactionState of(byte id) {
        for (TransactionState state : values()) {
            if (state.id == id) {
                return state;
            }
        }
        throw new IllegalStateException("no transaction state has the id " + id);
    }

    static @Nullable TransactionState ofTitle(String title) {
        for (TransactionState state : values()) {
            if (state.title.equals(title)) {
                return state;
            }
        }
        return null;
    }

    boolean canTransitionTo(TransactionState next) {
        return switch (next) {
            case EMPTY -> isIdle();
            case ONGOING -> isIdle() || this == ONGOING;
            case PREPARE_COMMIT -> this == ONGOING;
            // KIP-890: a producer that does not know whether a transaction began may abort it
            case PREPARE_ABORT -> isIdle() || this == ONGOING || this == PREPARE_EPOCH_FENCE;
            case COMPLETE_COMMIT -> this == PREPARE_COMMIT;
            case COMPLETE_ABORT -> this == PREPARE_ABORT;
            case DEAD -> isIdle();
            case PREPARE_EPOCH_FENCE -> this == ONGOING;
        };
    }

    /** No transaction is open or being ended. */
    boolean isIdle() {
        return this == EMPTY || this == COMPLETE_COMMIT || this == COMPLETE_ABORT;
    }

    /** The end has been decided and its markers are being written. */
    boolean isEnding() {
        return this == PREPARE_COMMIT || this == PREPARE_ABORT;
    }
}
