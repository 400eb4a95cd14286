package io.barnabas.replication;

import io.barnabas.log.PartitionLog;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.requests.FetchMetadata;

/**
 * The follower's end of a fetch session (KIP-227): a request names only the partitions whose offsets moved since the last. Guarded by its
 * fetcher.
 */
final class LeaderSession {
    private static final int NO_EPOCH = -1;
    private static final long NO_NEWS_OF_HIGH_WATERMARK = Long.MAX_VALUE;

    private final FetcherSettings settings;
    private final Map<PartitionKey, FollowedPartition> members = new LinkedHashMap<>();
    private final Set<FollowedPartition> news = new LinkedHashSet<>(); // the leader does not know what they want now
    private final Set<PartitionKey> known = new LinkedHashSet<>(); // the leader's session has them
    private final Set<PartitionKey> forgotten = new LinkedHashSet<>(); // and should have them no longer
    private int id = FetchMetadata.INVALID_SESSION_ID;
    private int epoch = FetchMetadata.INITIAL_EPOCH;
    private long requests;

    LeaderSession(FetcherSettings settings) {
        this.settings = settings;
    }

    /** From now on it is fetched. */
    void add(FollowedPartition partition) {
        members.put(partition.key, partition);
        forgotten.remove(partition.key);
        news.add(partition);
    }

    /** It is not fetched for now. */
    void remove(FollowedPartition partition) {
        if (members.remove(partition.key, partition)) {
            news.remove(partition);
            if (known.contains(partition.key)) {
                forgotten.add(partition.key);
            }
        }
    }

    /** Its offset moved. */
    void onMoved(FollowedPartition partition) {
        if (members.get(partition.key) == partition) {
            news.add(partition);
        }
    }

    boolean isEmpty() {
        return members.isEmpty();
    }

    /** Whether the leader has a session, so that a request may overtake one that waits there. */
    boolean established() {
        return id != FetchMetadata.INVALID_SESSION_ID;
    }

    boolean hasNews() {
        return !news.isEmpty() || !forgotten.isEmpty();
    }

    /** The leader's session is gone, or in doubt: the next request names everything. */
    void reset() {
        id = FetchMetadata.INVALID_SESSION_ID;
        epoch = FetchMetadata.INITIAL_EPOCH;
        known.clear();
        forgotten.clear();
        news.clear();
        members.values().forEach(partition -> partition.askedOffset = -1);
    }

    /** The leader answered without an error. */
    void onAnswer(int sessionId) {
        if (sessionId == FetchMetadata.INVALID_SESSION_ID) {
            reset();
        } else if (!established()) {
            id = sessionId;
            epoch = FetchMetadata.nextEpoch(FetchMetadata.INITIAL_EPOCH);
        }
    }

    /**
     * The next request.
     *
     * @param brokerEpoch of this broker's registration (KIP-903)
     */
    FetchRequestData next(int brokerId, long brokerEpoch) {
        requests++;
        FetchRequestData request = new FetchRequestData()
                .setReplicaState(new FetchRequestData.ReplicaState()
                        .setReplicaId(brokerId)
                        .setReplicaEpoch(brokerEpoch))
                .setMaxWaitMs(settings.maxWaitMs())
                .setMinBytes(settings.minBytes())
                .setMaxBytes(settings.maxBytes())
                .setSessionId(id)
                .setSessionEpoch(epoch)
                .setTopics(topics(established() ? news : members.values()));
        if (established()) {
            request.setForgottenTopicsData(forgottenTopics());
            epoch = FetchMetadata.nextEpoch(epoch);
        }
        news.clear();
        forgotten.clear();
        return request;
    }

    /** The number of the last request. */
    long lastRequest() {
        return requests;
    }

    private List<FetchTopic> topics(Collection<FollowedPartition> partitions) {
        Map<Uuid, FetchTopic> byId = new LinkedHashMap<>();
        for (FollowedPartition partition : partitions) {
            if (!partition.local.online()) {
                continue; // its directory failed: new metadata will say who goes on
            }
            PartitionLog log = partition.local.log();
            partition.askedOffset = log.logEndOffset();
            partition.askedIn = requests;
            known.add(partition.key);
            byId.computeIfAbsent(
                            partition.key.topicId(),
                            topic -> new FetchTopic().setTopicId(topic).setPartitions(new ArrayList<>()))
                    .partitions()
                    .add(new FetchPartition()
                            .setPartition(partition.key.index())
                            .setCurrentLeaderEpoch(partition.epoch)
                            .setFetchOffset(partition.askedOffset)
                            .setLastFetchedEpoch(log.latestEpoch().orElse(NO_EPOCH))
                            .setLogStartOffset(log.logStartOffset())
                            .setHighWatermark(knownHighWatermark(partition))
                            .setPartitionMaxBytes(settings.partitionMaxBytes()));
        }
        return new ArrayList<>(byId.values());
    }

    /** While consumers wait here the leader answers as soon as it has a higher one (the field is KIP-1166's). */
    private static long knownHighWatermark(FollowedPartition partition) {
        return partition.local.following().hasReaders() ? partition.local.highWatermark() : NO_NEWS_OF_HIGH_WATERMARK;
    }

    private List<ForgottenTopic> forgottenTopics() {
        Map<Uuid, ForgottenTopic> byId = new LinkedHashMap<>();
        for (PartitionKey key : forgotten) {
            known.remove(key);
            byId.computeIfAbsent(
                            key.topicId(),
                            topic -> new ForgottenTopic().setTopicId(topic).setPartitions(new ArrayList<>()))
                    .partitions()
                    .add(key.index());
        }
        return new ArrayList<>(byId.values());
    }
}
