package io.barnabas.request;

import io.barnabas.request.FetchSession.Identity;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;
import org.apache.kafka.common.requests.FetchMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The fetch sessions of all clients, within a bound (KIP-227). When full, a new session takes the place of one that was not used for
 * the eviction time, or else of an older one with fewer partitions; a follower's takes that of any consumer's.
 *
 * <p>Safe from any thread: looked up without a lock; only making a session takes the cache's.
 */
final class FetchSessions {
    private final int slots;
    private final long evictionMs;
    private final IntSupplier ids;
    private final Map<Integer, FetchSession> sessions = new ConcurrentHashMap<>();
    private final LongAdder evictions = new LongAdder();

    /**
     * Makes an empty cache.
     *
     * @param slots most sessions at a time ({@code max.incremental.fetch.session.cache.slots})
     * @param evictionMs a session that was used within it gives way to a bigger one only
     * @param ids random numbers
     */
    FetchSessions(int slots, long evictionMs, IntSupplier ids) {
        this.slots = slots;
        this.evictionMs = evictionMs;
        this.ids = ids;
    }

    @Nullable
    FetchSession find(int id) {
        return sessions.get(id);
    }

    void remove(int id) {
        sessions.remove(id);
    }

    int size() {
        return sessions.size();
    }

    long evictions() {
        return evictions.sum();
    }

    /**
     * Makes a session of these partitions if there is room or something has to make it.
     *
     * @return its id, or {@link FetchMetadata#INVALID_SESSION_ID}
     */
    synchronized int create(
            Map<FetchPartition, FetchPartition> partitions, boolean follower, boolean usesTopicIds, long nowMs) {
        if (sessions.size() >= slots && !evictFor(partitions.size(), follower, nowMs)) {
            return FetchMetadata.INVALID_SESSION_ID;
        }
        int id = ids.getAsInt() & Integer.MAX_VALUE;
        while (id == FetchMetadata.INVALID_SESSION_ID || sessions.containsKey(id)) {
            id = ids.getAsInt() & Integer.MAX_VALUE;
        }
        sessions.put(id, new FetchSession(new Identity(id, follower, usesTopicIds), partitions, nowMs));
        return id;
    }

    private boolean evictFor(int size, boolean follower, long nowMs) {
        @Nullable FetchSession stalest = null;
        @Nullable FetchSession least = null;
        for (FetchSession session : sessions.values()) {
            if (stalest == null || session.lastUsedMs() < stalest.lastUsedMs()) {
                stalest = session;
            }
            boolean mayGo = nowMs - session.createdMs() > evictionMs || (follower && !session.follower());
            if (mayGo && (least == null || worthLess(session, least.follower(), least.size()))) {
                least = session;
            }
        }
        if (stalest != null && nowMs - stalest.lastUsedMs() > evictionMs) {
            return evict(stalest);
        }
        return least != null && worthLess(least, follower, size) && evict(least);
    }

    private static boolean worthLess(FetchSession session, boolean thanFollower, int thanSize) {
        return session.follower() == thanFollower ? session.size() < thanSize : thanFollower;
    }

    private boolean evict(FetchSession session) {
        sessions.remove(session.id(), session);
        evictions.increment();
        return true;
    }
}
