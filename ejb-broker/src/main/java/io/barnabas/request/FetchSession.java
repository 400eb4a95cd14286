package io.barnabas.request;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.requests.FetchMetadata;
import org.jspecify.annotations.Nullable;

/**
 * A client's partitions, remembered between its fetches (KIP-227), so that a request names only what changed and an answer only what
 * is new.
 *
 * <p>Guarded by its own lock, which the request holds while it reads; {@code lastUsedMs} is read by the cache without it.
 */
final class FetchSession {
    private final int id;
    private final boolean follower;
    private final boolean usesTopicIds;
    private final long createdMs;
    private final Map<FetchPartition, FetchPartition> partitions;
    private volatile long lastUsedMs;
    private volatile int size;
    private @Nullable FetchAttempt waiting; // the request that waits for more
    private int epoch = FetchMetadata.nextEpoch(FetchMetadata.INITIAL_EPOCH); // of the next request

    FetchSession(Identity identity, Map<FetchPartition, FetchPartition> partitions, long nowMs) {
        this.id = identity.id();
        this.follower = identity.follower();
        this.usesTopicIds = identity.usesTopicIds();
        this.partitions = new LinkedHashMap<>(partitions);
        this.createdMs = nowMs;
        this.lastUsedMs = nowMs;
        this.size = partitions.size();
    }

    /** What stays the same of a session. */
    record Identity(int id, boolean follower, boolean usesTopicIds) {}

    int id() {
        return id;
    }

    boolean follower() {
        return follower;
    }

    boolean usesTopicIds() {
        return usesTopicIds;
    }

    long createdMs() {
        return createdMs;
    }

    long lastUsedMs() {
        return lastUsedMs;
    }

    /** Number of partitions. */
    int size() {
        return size;
    }

    int epoch() {
        return epoch;
    }

    Map<FetchPartition, FetchPartition> partitions() {
        return partitions;
    }

    /** A request with the right epoch came and changed the partitions. */
    void onUsed(long nowMs) {
        lastUsedMs = nowMs;
        size = partitions.size();
        epoch = FetchMetadata.nextEpoch(epoch);
    }

    /** This request waits for more. */
    void onWaiting(FetchAttempt attempt) {
        waiting = attempt;
    }

    void onAnswered(FetchAttempt attempt) {
        if (waiting == attempt) {
            waiting = null;
        }
    }

    /** Another request has come: a follower's that wants something else, for which the one that waits makes room. */
    void overtake() {
        @Nullable FetchAttempt before = waiting;
        if (follower && before != null) {
            before.onOvertaken();
        }
    }

    /** Has been served: goes behind the others, so that no partition starves under the answer's size limit. */
    void rotate(FetchPartition partition) {
        if (partitions.remove(partition) != null) {
            partitions.put(partition, partition);
        }
    }
}
