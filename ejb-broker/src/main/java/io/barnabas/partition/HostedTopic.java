package io.barnabas.partition;

import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A topic's partitions on this broker, by index. The array is replaced on change, so that readers take no lock. */
final class HostedTopic {
    private final String name;
    private final Uuid id;
    private final TopicFigures figures = new TopicFigures();
    private volatile @Nullable LocalPartition[] partitions =
            new LocalPartition[0]; // written by the metadata thread alone

    HostedTopic(String name, Uuid id) {
        this.name = name;
        this.id = id;
    }

    String name() {
        return name;
    }

    Uuid id() {
        return id;
    }

    TopicFigures figures() {
        return figures;
    }

    @Nullable
    LocalPartition partition(int index) {
        @Nullable LocalPartition[] present = partitions;
        return index < 0 || index >= present.length ? null : present[index];
    }

    @Nullable
    LocalPartition[] partitions() {
        return partitions;
    }

    void replace(@Nullable LocalPartition[] with) {
        partitions = with;
    }
}
