package io.barnabas.coordinator.group;

import java.util.Locale;

/**
 * Where a classic group is in its rebalances.
 *
 * <pre>
 * EMPTY -> PREPARING_REBALANCE -> COMPLETING_REBALANCE -> STABLE
 *   ^------------'   ^------------------'-------------------'     (a join, a leave, an expired session; all have left)
 * any -> DEAD                                                     (deleted, expired, or unloaded with its partition)
 * </pre>
 */
enum GroupState {
    /** No members: only offsets, or nothing yet. */
    EMPTY("Empty"),
    /** Members are called to join again; their JoinGroup requests wait. */
    PREPARING_REBALANCE("PreparingRebalance"),
    /** A generation is made; its members' SyncGroup requests wait for the leader's assignment. */
    COMPLETING_REBALANCE("CompletingRebalance"),
    /** The generation's assignment is in the log. */
    STABLE("Stable"),
    /** Gone: nothing finds it any more. */
    DEAD("Dead");

    private final String label;
    private final String lowerCase;

    GroupState(String label) {
        this.label = label;
        this.lowerCase = label.toLowerCase(Locale.ROOT);
    }

    boolean canTransitionTo(GroupState next) {
        return switch (next) {
            case EMPTY, COMPLETING_REBALANCE -> this == PREPARING_REBALANCE;
            case PREPARING_REBALANCE -> this == EMPTY || this == COMPLETING_REBALANCE || this == STABLE;
            case STABLE -> this == COMPLETING_REBALANCE;
            case DEAD -> true;
        };
    }

    /** The name in the protocol. */
    @Override
    public String toString() {
        return label;
    }

    /** The name as ListGroups filters compare it. */
    String lowerCase() {
        return lowerCase;
    }
}
