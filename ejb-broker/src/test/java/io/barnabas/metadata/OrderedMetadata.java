package io.barnabas.metadata;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** Metadata whose changes name topics in one order: sets of the platform iterate differently in each process, and a seed must not depend on it. */
public record OrderedMetadata(Metadata real) implements Metadata {
    @Override
    public MetadataImage image() {
        return real.image();
    }

    @Override
    public boolean isSettled() {
        return real.isSettled();
    }

    @Override
    public int unsettledPartitions() {
        return real.unsettledPartitions();
    }

    @Override
    public CompletableFuture<@Nullable Void> settled() {
        return real.settled();
    }

    @Override
    public void onChange(Listener listener) {
        real.onChange((change, image) -> {
            Set<Uuid> topics = new LinkedHashSet<>();
            change.topics().stream().sorted(Comparator.naturalOrder()).forEach(topics::add);
            Set<Integer> brokers = new LinkedHashSet<>();
            change.brokers().stream().sorted().forEach(brokers::add);
            listener.onChange(
                    new Change(topics, change.deletedTopics(), change.configs(), brokers, change.features()), image);
        });
    }
}
