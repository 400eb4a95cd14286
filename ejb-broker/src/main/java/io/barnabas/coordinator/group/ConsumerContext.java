package io.barnabas.coordinator.group;

import io.barnabas.coordinator.Outcome;
import io.barnabas.coordinator.group.consumer.TopicHashes;
import io.barnabas.metadata.MetadataImage;
import java.util.function.Supplier;

/**
 * What the parts of a shard that serve consumer groups share.
 *
 * @param settings asked each time, for they may change
 * @param image the cluster's metadata as they are now
 * @param background where work goes that is too long for the shard's thread
 * @param hashes of the topics that groups are subscribed to
 */
record ConsumerContext(
        Supplier<ConsumerGroupSettings> settings,
        Supplier<MetadataImage> image,
        Background background,
        TopicHashes hashes) {

    /** Runs work on a worker, and what follows from it as an operation of the partition's present shard, which may be a later one. */
    interface Background {
        <R> void run(Supplier<R> work, Then<R> then);
    }

    /**
     * What follows from work.
     *
     * @param <R> its result
     */
    interface Then<R> {
        void accept(GroupShard shard, R result, Outcome outcome);
    }
}
