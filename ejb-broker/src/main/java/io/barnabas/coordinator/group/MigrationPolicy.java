package io.barnabas.coordinator.group;

/** Which way groups with members may change their protocol: group.consumer.migration.policy. */
public enum MigrationPolicy {
    DISABLED,
    DOWNGRADE,
    UPGRADE,
    BIDIRECTIONAL;

    boolean allowsUpgrade() {
        return this == UPGRADE || this == BIDIRECTIONAL;
    }

    boolean allowsDowngrade() {
        return this == DOWNGRADE || this == BIDIRECTIONAL;
    }
}
