package io.barnabas.coordinator.group;

import io.barnabas.coordinator.ShardTimer;
import io.barnabas.time.Clock;
import java.util.function.UnaryOperator;

/**
 * What the parts of a shard share.
 *
 * @param memberIds makes a new member's id of its client's id or instance id; unique in the cluster
 */
record ShardContext(
        GroupCoordinatorSettings settings,
        Clock clock,
        ShardTimer.Source timers,
        UnaryOperator<String> memberIds,
        Groups groups,
        OffsetStore offsets,
        ConsumerContext consumers) {
    long nowMs() {
        return clock.wallMillis();
    }

    /** Whether it is known what is too old to be kept. */
    boolean knowsTime() {
        return clock.settled();
    }
}
