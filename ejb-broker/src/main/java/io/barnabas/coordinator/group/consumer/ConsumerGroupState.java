package io.barnabas.coordinator.group.consumer;

import java.util.Locale;

/** The state of a consumer group as clients are told it; it follows from the group's epochs and members. */
public enum ConsumerGroupState {
    EMPTY("Empty"),
    /** The group has changed, and the target assignment has yet to be computed. */
    ASSIGNING("Assigning"),
    /** Members are on their way to the target assignment. */
    RECONCILING("Reconciling"),
    STABLE("Stable"),
    DEAD("Dead");

    private final String label;
    private final String lowerCase;

    ConsumerGroupState(String label) {
        this.label = label;
        this.lowerCase = label.toLowerCase(Locale.ROOT);
    }

    /** The name in the protocol. */
    @Override
    public String toString() {
        return label;
    }

    /** The name as ListGroups filters compare it. */
    public String lowerCase() {
        return lowerCase;
    }
}
