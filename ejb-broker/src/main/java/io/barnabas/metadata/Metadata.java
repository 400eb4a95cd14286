package io.barnabas.metadata;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/** The current image and its changes. Safe from any thread. */
public interface Metadata {
    MetadataImage image();

    /**
     * Calls {@code listener} after each applied change, in order, on the metadata thread; the first call, made at once, carries the
     * whole present image as a change. {@link #image} already answers the new image then. The command that made the change is answered
     * only after every listener returned.
     */
    void onChange(Listener listener);

    /** Whether every listener has taken what is in the image: those of {@link TrailingMetadata} take their time. */
    default boolean isSettled() {
        return true;
    }

    /** About how many partitions are in the topics whose changes have yet to be taken by some listener. */
    default int unsettledPartitions() {
        return 0;
    }

    /** Completes when every listener has taken what is in the image now; the caller's alone, who may complete it sooner. */
    default CompletableFuture<@Nullable Void> settled() {
        return CompletableFuture.completedFuture(null);
    }

    /** Takes changes. */
    interface Listener {
        void onChange(Change change, MetadataImage image);
    }

    /**
     * What differs from the image before.
     *
     * @param topics ids of topics that were made or whose partitions changed
     * @param deletedTopics images of topics that are gone
     * @param configs resources whose settings changed
     * @param brokers ids of brokers whose registration changed
     */
    record Change(
            Set<Uuid> topics,
            Set<TopicImage> deletedTopics,
            Set<ConfigResource> configs,
            Set<Integer> brokers,
            boolean features) {}
}
