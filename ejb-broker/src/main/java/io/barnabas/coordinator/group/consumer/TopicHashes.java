package io.barnabas.coordinator.group.consumer;

import com.dynatrace.hash4j.hashing.HashStream64;
import com.dynatrace.hash4j.hashing.Hashing;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * The hash of what a group's assignment depends on in the metadata (KIP-1101): a changed one makes a new group epoch. It is in the log,
 * so it is Kafka's to the bit: XXH3 over each topic's id, name, partitions and their racks, and over the topics' hashes by name.
 *
 * <p>Keeps the topics' hashes until the topics change. Confined to the shard's serial executor.
 */
public final class TopicHashes {
    private static final byte FORMAT = 0;

    private final Map<String, Known> known = new HashMap<>();

    private record Known(TopicImage topic, long hash) {}

    /** The hash of those topics that are there; 0 if none is. */
    public long of(Set<String> topics, MetadataImage image) {
        HashStream64 stream = Hashing.xxh3_64().hashStream();
        boolean any = false;
        for (String name : new TreeSet<>(topics)) {
            @Nullable TopicImage topic = image.topic(name);
            if (topic != null) {
                stream.putLong(hash(topic, image));
                any = true;
            }
        }
        return any ? stream.getAsLong() : 0;
    }

    /** Forgets topics that are gone. */
    public void onTopicsDeleted(Set<String> names) {
        known.keySet().removeAll(names);
    }

    @SuppressWarnings(
            "ReferenceEquality") // an image that has not changed is the same object; to compare partitions costs more
    private long hash(TopicImage topic, MetadataImage image) {
        @Nullable Known before = known.get(topic.name());
        if (before != null && before.topic == topic) {
            return before.hash;
        }
        long hash = compute(topic, image);
        known.put(topic.name(), new Known(topic, hash));
        return hash;
    }

    private static long compute(TopicImage topic, MetadataImage image) {
        Uuid id = topic.id();
        HashStream64 stream = Hashing.xxh3_64()
                .hashStream()
                .putByte(FORMAT)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .putString(topic.name())
                .putInt(topic.partitions().size());
        for (int i = 0; i < topic.partitions().size(); i++) {
            stream.putInt(i);
            for (String rack : racks(topic.partitions().get(i), image)) {
                stream.putInt(rack.length()).putString(rack);
            }
        }
        return stream.getAsLong();
    }

    private static List<String> racks(PartitionImage partition, MetadataImage image) {
        return partition.replicas().stream()
                .map(image::broker)
                .flatMap(Optional::stream)
                .flatMap(broker -> Stream.ofNullable(broker.rack()))
                .sorted()
                .toList();
    }
}
