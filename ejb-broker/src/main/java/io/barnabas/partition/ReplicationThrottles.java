package io.barnabas.partition;

import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.time.Clock;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;

/**
 * Both directions' throttles of this broker, as topics and brokers are configured (KIP-73): {@code kafka-reassign-partitions --throttle}
 * sets that, {@code --verify} takes it back.
 *
 * <p>Changes come on the metadata thread; the throttles are safe from any.
 */
public final class ReplicationThrottles implements Metadata.Listener {
    private static final String LEADERS = "leader.replication.throttled.replicas";
    private static final String FOLLOWERS = "follower.replication.throttled.replicas";
    private static final String ALL = "*";

    private final int brokerId;
    private final ReplicationThrottle leader;
    private final ReplicationThrottle follower;

    /**
     * What rates are measured by.
     *
     * @param windows {@code replication.quota.window.num}
     * @param windowMs {@code replication.quota.window.size.seconds}, in milliseconds
     */
    public record Measure(Clock clock, int windows, long windowMs) {
        ByteRate rate() {
            return new ByteRate(clock, windows, windowMs);
        }
    }

    /**
     * Throttles that hold nothing back until topics say so.
     *
     * @param leaderRate {@code leader.replication.throttled.rate}, bytes a second, as it is now
     * @param followerRate {@code follower.replication.throttled.rate}
     */
    public ReplicationThrottles(int brokerId, Measure measure, LongSupplier leaderRate, LongSupplier followerRate) {
        this.brokerId = brokerId;
        this.leader = new ReplicationThrottle(leaderRate, measure.rate());
        this.follower = new ReplicationThrottle(followerRate, measure.rate());
    }

    /** Of what is sent to followers. */
    public ReplicationThrottle leader() {
        return leader;
    }

    /** Of what is fetched from leaders. */
    public ReplicationThrottle follower() {
        return follower;
    }

    @Override
    public void onChange(Metadata.Change change, MetadataImage image) {
        for (TopicImage topic : change.deletedTopics()) {
            leader.release(topic.name());
            follower.release(topic.name());
        }
        for (ConfigResource resource : change.configs()) {
            if (resource.type() == ConfigResource.Type.TOPIC) {
                var settings = image.config(resource);
                apply(leader, resource.name(), settings.get(LEADERS));
                apply(follower, resource.name(), settings.get(FOLLOWERS));
            }
        }
    }

    /** @param replicas {@code partition:broker} pairs, or a star */
    private void apply(ReplicationThrottle throttle, String topic, @Nullable String replicas) {
        if (replicas != null && replicas.trim().equals(ALL)) {
            throttle.throttle(topic, Set.of());
            return;
        }
        Set<Integer> partitions = new HashSet<>();
        for (String pair : replicas == null ? new String[0] : replicas.trim().split("\\s*,\\s*", -1)) {
            int colon = pair.indexOf(':');
            if (colon > 0 && pair.substring(colon + 1).equals(Integer.toString(brokerId))) {
                partitionOf(pair.substring(0, colon)).ifPresent(partitions::add);
            }
        }
        if (partitions.isEmpty()) {
            throttle.release(topic);
        } else {
            throttle.throttle(topic, partitions);
        }
    }

    private static Optional<Integer> partitionOf(String digits) {
        try {
            return Optional.of(Integer.valueOf(digits));
        } catch (NumberFormatException e) { // larger than any partition's number
            return Optional.empty();
        }
    }
}
