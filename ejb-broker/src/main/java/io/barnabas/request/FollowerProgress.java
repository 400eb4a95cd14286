package io.barnabas.request;

import io.barnabas.partition.FollowerFetch;
import io.barnabas.partition.LocalPartition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a follower's fetch says before it is answered: it has everything below the offsets that it asks for. Raises high watermarks and
 * answers who waited for them (acks=all) on the follower's event loop, and asks for the ISR where the follower should come in.
 *
 * <p>Under the session's lock the partitions are looked at only; who waits is told outside of it, for that may append, and an append wakes
 * other followers' fetches, whose sessions have locks of their own.
 */
final class FollowerProgress {
    private final FetchHandler handler;
    private final FetchParameters parameters;

    FollowerProgress(FetchHandler handler, FetchParameters parameters) {
        this.handler = handler;
        this.parameters = parameters;
    }

    /** @param lock of the session, which guards the partitions */
    void report(Collection<FetchPartition> partitions, Object lock) {
        List<LocalPartition> moved = new ArrayList<>();
        List<LocalPartition> trimmed = new ArrayList<>();
        synchronized (lock) {
            for (FetchPartition partition : partitions) {
                @Nullable LocalPartition local = local(partition);
                if (local != null && local.followers().onFetch(fetch(partition))) {
                    moved.add(local);
                    if (partition.startMoved()) {
                        trimmed.add(local);
                    }
                }
            }
        }
        for (LocalPartition local : moved) {
            local.followers().advance();
            if (local.followers().shouldJoin(parameters.replicaId())) {
                handler.onShouldJoin(local);
            }
        }
        trimmed.forEach(local -> local.followers().onLogStart());
    }

    private @Nullable LocalPartition local(FetchPartition partition) {
        @Nullable LocalPartition known = partition.local;
        if (known == null || known.deleted()) {
            known = partition.topic == null
                    ? null
                    : handler.path().partitions().partition(partition.topic, partition.index);
        }
        return known == null || !partition.isOf(known) ? null : known;
    }

    private FollowerFetch fetch(FetchPartition partition) {
        return new FollowerFetch(
                parameters.replicaId(),
                parameters.brokerEpoch(),
                partition.offset,
                partition.logStartOffset,
                partition.currentLeaderEpoch,
                partition.lastFetchedEpoch);
    }
}
