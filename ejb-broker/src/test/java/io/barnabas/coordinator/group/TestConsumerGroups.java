package io.barnabas.coordinator.group;

import io.barnabas.coordinator.group.consumer.Assignor;

/** Settings of consumer groups for tests. */
public final class TestConsumerGroups {
    private TestConsumerGroups() {}

    /** Kafka's defaults, but that targets are computed at once. */
    public static ConsumerGroupSettings defaults() {
        return of(Integer.MAX_VALUE, MigrationPolicy.BIDIRECTIONAL, 0);
    }

    /** The same with some of its own. */
    public static ConsumerGroupSettings of(int maxSize, MigrationPolicy migration, int assignmentIntervalMs) {
        return new ConsumerGroupSettings(
                maxSize, Assignor.ALL, migration, 600_000, new FixedTimes(45_000, 5_000, assignmentIntervalMs));
    }

    private record FixedTimes(int sessionMs, int heartbeatMs, int assignmentMs) implements ConsumerGroupSettings.Times {
        @Override
        public int sessionTimeoutMs(String group) {
            return sessionMs;
        }

        @Override
        public int heartbeatIntervalMs(String group) {
            return heartbeatMs;
        }

        @Override
        public int assignmentIntervalMs(String group) {
            return assignmentMs;
        }
    }
}
