package io.barnabas.request;

import io.barnabas.partition.LocalPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.jspecify.annotations.Nullable;

/**
 * One partition of a fetch: what the client wants, and within a session what it was last told (KIP-227). Equal to another of the same
 * topic id and index or, where names are used, of the same name and index.
 *
 * <p>Guarded by the session's lock, or used by one request alone.
 */
final class FetchPartition {
    private static final long NOTHING_TOLD = -1;
    private static final long ASKS_FOR_NONE = Long.MAX_VALUE;

    final Uuid topicId; // zero where names are used
    final int index;

    @Nullable
    String topic; // null while no topic has the id

    long offset;
    int maxBytes;
    int currentLeaderEpoch;
    int lastFetchedEpoch;
    long logStartOffset; // of a follower
    private long startBefore = NOTHING_TOLD; // logStartOffset when it was looked at last
    private long knownHighWatermark = ASKS_FOR_NONE; // by a follower that wants to hear of a higher one at once

    @Nullable
    LocalPartition local; // found last time, good until it is deleted

    long seenEnd; // readable end at the last look, so that a wait knows whether it missed something
    private long toldHighWatermark = NOTHING_TOLD;
    private long toldLogStartOffset = NOTHING_TOLD;

    FetchPartition(@Nullable String topic, Uuid topicId, int index) {
        this.topic = topic;
        this.topicId = topicId;
        this.index = index;
    }

    void want(FetchRequestData.FetchPartition wanted) {
        offset = wanted.fetchOffset();
        maxBytes = wanted.partitionMaxBytes();
        currentLeaderEpoch = wanted.currentLeaderEpoch();
        lastFetchedEpoch = wanted.lastFetchedEpoch();
        logStartOffset = wanted.logStartOffset();
        knownHighWatermark = wanted.highWatermark();
    }

    /** A follower on which consumers wait wants the high watermark as soon as it rises, not with the next records (KIP-392). */
    boolean waitsForHighWatermark() {
        return knownHighWatermark != ASKS_FOR_NONE;
    }

    /** Whether a follower's log start is another than at the last call. */
    boolean startMoved() {
        boolean moved = logStartOffset != startBefore;
        startBefore = logStartOffset;
        return moved;
    }

    /** Whether a follower has records from before the leader's log start and was not told of that. */
    boolean missesStart(long leadersStart) {
        return logStartOffset >= 0 && logStartOffset < leadersStart && toldLogStartOffset != leadersStart;
    }

    boolean misses(long highWatermark) {
        return highWatermark > knownHighWatermark;
    }

    /** Whether the client of a session knows these already. */
    boolean knows(long highWatermark, long logStartOffset) {
        return toldHighWatermark == highWatermark && toldLogStartOffset == logStartOffset;
    }

    /** The client is being told this. After an error the next good answer is always told. */
    void onTold(FetchResponseData.PartitionData answer) {
        toldHighWatermark = answer.errorCode() == 0 ? answer.highWatermark() : NOTHING_TOLD;
        toldLogStartOffset = answer.logStartOffset();
        knownHighWatermark = Math.max(knownHighWatermark, answer.highWatermark());
    }

    /** A follower may have passed over what it was told: while it cut its log, say, or rested. What it names it is told of again. */
    void onNothingTold() {
        toldHighWatermark = NOTHING_TOLD;
    }

    /** Whether that is the partition: a topic of the same name may be another. */
    boolean isOf(LocalPartition partition) {
        return !usesId() || topicId.equals(partition.topicId());
    }

    boolean sameTopic(FetchPartition other) {
        return topicId.equals(other.topicId)
                && (usesId() || String.valueOf(topic).equals(String.valueOf(other.topic)));
    }

    private boolean usesId() {
        return !topicId.equals(Uuid.ZERO_UUID);
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof FetchPartition other && index == other.index && sameTopic(other);
    }

    @Override
    public int hashCode() {
        return 31 * index
                + (usesId() ? topicId.hashCode() : String.valueOf(topic).hashCode());
    }
}
