package io.barnabas.replication;

import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.partition.ReplicationThrottle;
import io.barnabas.port.PeerConnection;
import io.barnabas.time.Clock;
import io.barnabas.time.Ticker;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this broker follows, as the metadata say: each partition that another broker leads belongs to one of some fetchers for that
 * broker. After {@link LocalPartitions}, which has taken the same metadata before; before {@link ReplicaFetcher}.
 *
 * <p>Changes come on the metadata thread.
 */
public final class ReplicaFetchers implements Metadata.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaFetchers.class);

    private final Follower follower;
    private final FetcherSettings settings;
    private final IntSupplier fetchersPerBroker;
    private final LocalPartitions partitions;
    private final Map<Source, ReplicaFetcher> fetchers = new ConcurrentHashMap<>(); // changed under this
    private final Map<PartitionKey, Followed> followed = new HashMap<>(); // guarded by this
    private boolean closed; // guarded by this

    private record Source(int leader, int index) {}

    private record Followed(Source source, FollowedPartition partition) {}

    /**
     * The broker that follows.
     *
     * @param brokerEpoch of its registration
     * @param workers for what touches many files or takes long
     * @param throttle of what is fetched
     */
    public record Follower(
            int brokerId,
            LongSupplier brokerEpoch,
            Peers peers,
            Clock clock,
            Ticker ticker,
            Executor workers,
            ReplicationThrottle throttle) {
        @Nullable
        PeerConnection connect(int leader) {
            try {
                return peers.connect(leader);
            } catch (IllegalStateException e) { // this broker stops, and will close the fetchers
                LOG.debug("there is no way to the leader's broker; leader={} error={}", leader, e.toString());
                return null;
            }
        }
    }

    /**
     * Makes it; it begins when it is told of the metadata.
     *
     * @param fetchersPerBroker {@code num.replica.fetchers}, for what is followed from now on
     */
    public ReplicaFetchers(
            Follower follower, FetcherSettings settings, IntSupplier fetchersPerBroker, LocalPartitions partitions) {
        this.follower = follower;
        this.settings = settings;
        this.fetchersPerBroker = fetchersPerBroker;
        this.partitions = partitions;
    }

    @Override
    public synchronized void onChange(Metadata.Change change, MetadataImage image) {
        if (closed) {
            return;
        }
        for (TopicImage topic : change.deletedTopics()) {
            for (PartitionImage partition : topic.partitions()) {
                stop(new PartitionKey(topic.id(), partition.partition()));
            }
        }
        for (Uuid id : change.topics()) {
            @Nullable TopicImage topic = image.topic(id);
            if (topic != null) {
                topic.partitions().forEach(partition -> follow(id, partition));
            }
        }
    }

    private void follow(Uuid topic, PartitionImage image) {
        PartitionKey key = new PartitionKey(topic, image.partition());
        @Nullable LocalPartition local = partitions.partition(topic, image.partition());
        boolean follows = local != null
                && local.online()
                && image.leader() >= 0
                && image.leader() != follower.brokerId()
                && image.replicas().contains(follower.brokerId());
        @Nullable Followed before = followed.get(key);
        if (local == null || !follows) {
            stop(key);
        } else if (before == null
                || before.partition().local != local
                || before.partition().epoch != image.leaderEpoch()
                || before.source().leader() != image.leader()) {
            stop(key);
            start(key, new FollowedPartition(local, image.leaderEpoch()), image.leader());
        }
    }

    private void start(PartitionKey key, FollowedPartition partition, int leader) {
        Source source = new Source(leader, Math.floorMod(key.hashCode(), Math.max(1, fetchersPerBroker.getAsInt())));
        followed.put(key, new Followed(source, partition));
        fetchers.computeIfAbsent(source, this::begin).add(partition);
    }

    private ReplicaFetcher begin(Source source) {
        ReplicaFetcher fetcher = new ReplicaFetcher(source.leader(), follower, settings);
        new ConnectionWatch(fetcher, follower.ticker(), settings.maxWaitMs()).begin();
        return fetcher;
    }

    private void stop(PartitionKey key) {
        @Nullable Followed before = followed.remove(key);
        if (before == null) {
            return;
        }
        @Nullable ReplicaFetcher fetcher = fetchers.get(before.source());
        if (fetcher != null && fetcher.remove(before.partition())) {
            fetchers.remove(before.source());
            fetcher.close();
        }
    }

    /** Brokers that lead what is followed here and have not answered for that long: dead, cut off or standing still. Never waits. */
    public Set<Integer> silentLeaders(long ms) {
        Set<Integer> silent = new HashSet<>();
        fetchers.forEach((source, fetcher) -> {
            if (fetcher.isSilent(ms)) {
                silent.add(source.leader());
            }
        });
        return silent;
    }

    /** Committed records that the farthest replica here lacks. */
    public synchronized long lagRecordsMax() {
        long most = 0;
        for (Followed each : followed.values()) {
            most = Math.max(most, each.partition().lagRecords());
        }
        return most;
    }

    /** Follows nothing any more. */
    @Override
    public synchronized void close() {
        closed = true;
        followed.clear();
        List.copyOf(fetchers.values()).forEach(ReplicaFetcher::close);
        fetchers.clear();
    }
}
