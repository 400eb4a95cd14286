package io.barnabas.request;

import io.barnabas.log.LogSlice;
import io.barnabas.log.PartitionLog;
import io.barnabas.log.PartitionLog.EpochEnd;
import io.barnabas.log.ReadResult;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalPartition;
import io.barnabas.partition.LocalPartition.ReadLimit;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.message.FetchResponseData.EpochEndOffset;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * One look at a fetch's partitions: reads what there is, within the request's limits, and keeps what has to be told. A partition
 * of a session with nothing new costs a few volatile reads and no object.
 *
 * <p>Used by one thread, under the session's lock. Slices that are not answered must be given back by {@link #release}.
 */
final class FetchRead {
    private static final short FIRST_VERSION_THAT_KNOWS_STORAGE_ERRORS = 6;

    private final FetchHandler handler;
    private final DataPath path;
    private final FetchParameters parameters;
    private final RequestContext context;
    private final boolean inSession;
    private final MetadataImage image;
    private final List<FetchPartition> partitions = new ArrayList<>();
    private final List<PartitionData> answers = new ArrayList<>();
    private int leftBytes;
    private int bytes;
    private int readable; // partitions that were looked at without an error of the metadata
    private boolean urgent;

    /**
     * Makes a look.
     *
     * @param inSession what the client knows already need not be told
     */
    FetchRead(FetchHandler handler, FetchParameters parameters, RequestContext context, boolean inSession) {
        this.handler = handler;
        this.path = handler.path();
        this.parameters = parameters;
        this.context = context;
        this.inSession = inSession;
        this.image = path.metadata().image();
        this.leftBytes = parameters.maxBytes();
    }

    /** The answers, side by side with {@link #partitions}. */
    List<PartitionData> answers() {
        return answers;
    }

    List<FetchPartition> partitions() {
        return partitions;
    }

    int bytes() {
        return bytes;
    }

    /** Whether the answer should leave now: enough bytes, an error, a divergence, or nothing to wait for. */
    boolean shouldAnswer() {
        return urgent || readable == 0 || bytes >= parameters.minBytes();
    }

    /** Gives back the slices; nothing of this look is answered. */
    void release() {
        for (PartitionData answer : answers) {
            if (answer.records() instanceof LogSlice slice) {
                slice.release();
            }
        }
        answers.clear();
        partitions.clear();
    }

    void look(FetchPartition partition) {
        Errors unknown = unknownToMetadata(partition);
        if (unknown != Errors.NONE) {
            add(partition, error(partition, unknown));
            return;
        }
        readable++;
        @Nullable PartitionData answer;
        try {
            answer = read(partition);
        } catch (Exception failure) {
            answer = error(partition, ErrorResponses.partError(context, failure));
        }
        if (answer != null) {
            urgent |= answer.errorCode() != Errors.NONE.code();
            add(partition, answer);
        }
    }

    private void add(FetchPartition partition, PartitionData answer) {
        partitions.add(partition);
        answers.add(answer);
    }

    /** An unknown topic or partition is answered, but the others are waited for all the same. */
    private Errors unknownToMetadata(FetchPartition partition) {
        if (partition.local != null && !partition.local.deleted()) {
            return Errors.NONE;
        }
        partition.local = null;
        if (partition.topic == null) {
            @Nullable TopicImage topic = image.topic(partition.topicId);
            if (topic == null) {
                return Errors.UNKNOWN_TOPIC_ID;
            }
            partition.topic = topic.name();
        }
        return image.partition(partition.topic, partition.index) == null
                ? Errors.UNKNOWN_TOPIC_OR_PARTITION
                : Errors.NONE;
    }

    /** The answer for one partition; null if its client knows all there is to tell. */
    private @Nullable PartitionData read(FetchPartition partition) throws IOException {
        LocalPartition local = local(partition);
        if (!partition.topicId.equals(Uuid.ZERO_UUID) && !partition.topicId.equals(local.topicId())) {
            return error(partition, Errors.INCONSISTENT_TOPIC_ID);
        }
        PartitionLog log = local.logAt(partition.currentLeaderEpoch, parameters.leaderOnly());
        if (parameters.fromFollower()) {
            local.followers().require(parameters.replicaId(), parameters.brokerEpoch());
        }
        long highWatermark = local.highWatermark();
        long stable = Math.min(highWatermark, log.firstUnstableOffset());
        long start = log.logStartOffset();
        urgent |= parameters.fromFollower() && (partition.misses(highWatermark) || partition.missesStart(start));
        long end = log.logEndOffset();
        if (partition.lastFetchedEpoch >= 0) {
            @Nullable PartitionData diverging = diverging(partition, local, log);
            if (diverging != null) {
                return diverging;
            }
        }
        if (partition.offset < start || partition.offset > end) {
            return error(partition, Errors.OFFSET_OUT_OF_RANGE);
        }
        int preferred = parameters.toLogEnd()
                ? PreferredReplicas.NO_REPLICA
                : handler.preferred().choose(local, partition.offset, parameters.rack(), context);
        if (preferred != PreferredReplicas.NO_REPLICA) {
            urgent = true;
            return answer(partition)
                    .setHighWatermark(highWatermark)
                    .setLastStableOffset(stable)
                    .setLogStartOffset(start)
                    .setPreferredReadReplica(preferred);
        }
        long upTo = parameters.toLogEnd() ? end : parameters.readCommitted() ? stable : highWatermark;
        partition.seenEnd = upTo;
        int limit = Math.min(partition.maxBytes, leftBytes);
        boolean nothing = partition.offset >= upTo || (limit <= 0 && bytes > 0) || isHeldBack(local);
        if (nothing && inSession && partition.knows(highWatermark, start)) {
            return null;
        }
        PartitionData answer = answer(partition)
                .setHighWatermark(highWatermark)
                .setLastStableOffset(stable)
                .setLogStartOffset(start);
        if (!nothing) {
            ReadLimit readLimit = new ReadLimit(Math.max(0, limit), bytes == 0, parameters.readCommitted());
            take(answer, local.readUpTo(log, partition.offset, upTo, readLimit));
        }
        boolean told = inSession && answer.records().sizeInBytes() == 0 && partition.knows(highWatermark, start);
        return told ? null : answer;
    }

    /** A throttled follower that is out of sync: one in sync must keep pace. */
    private boolean isHeldBack(LocalPartition local) {
        return parameters.fromFollower()
                && handler.throttle().holdsBack(local.topicPartition())
                && !local.image().isr().contains(parameters.replicaId());
    }

    private LocalPartition local(FetchPartition partition) {
        @Nullable LocalPartition known = partition.local;
        if (known == null) {
            known = path.partitions().hosted(String.valueOf(partition.topic), partition.index);
            partition.local = known;
        }
        return known;
    }

    private void take(PartitionData answer, ReadResult result) {
        BaseRecords records = result.records();
        answer.setRecords(records);
        bytes += records.sizeInBytes();
        leftBytes = Math.max(0, leftBytes - records.sizeInBytes());
        if (parameters.readCommitted()) {
            List<AbortedTransaction> aborted = new ArrayList<>(result.aborted().size());
            for (ReadResult.AbortedTransaction transaction : result.aborted()) {
                aborted.add(new AbortedTransaction()
                        .setProducerId(transaction.producerId())
                        .setFirstOffset(transaction.firstOffset()));
            }
            answer.setAbortedTransactions(aborted);
        }
    }

    /** KIP-595: the client's last epoch ended earlier here than where it wants to go on, so it must truncate. */
    private @Nullable PartitionData diverging(FetchPartition partition, LocalPartition local, PartitionLog log) {
        EpochEnd known = local.endOffsetFor(log, partition.lastFetchedEpoch);
        if (known.epoch() < 0 || known.endOffset() < 0 || partition.offset < log.logStartOffset()) {
            return error(partition, Errors.OFFSET_OUT_OF_RANGE);
        }
        if (known.epoch() >= partition.lastFetchedEpoch && known.endOffset() >= partition.offset) {
            return null;
        }
        urgent = true;
        return answer(partition)
                .setHighWatermark(local.highWatermark())
                .setLastStableOffset(Math.min(local.highWatermark(), log.firstUnstableOffset()))
                .setLogStartOffset(log.logStartOffset())
                .setDivergingEpoch(new EpochEndOffset().setEpoch(known.epoch()).setEndOffset(known.endOffset()));
    }

    private PartitionData answer(FetchPartition partition) {
        return new PartitionData()
                .setPartitionIndex(partition.index)
                .setRecords(MemoryRecords.EMPTY)
                .setAbortedTransactions(parameters.readCommitted() ? List.of() : null);
    }

    private PartitionData error(FetchPartition partition, Errors error) {
        boolean notKnown =
                error == Errors.KAFKA_STORAGE_ERROR && parameters.version() < FIRST_VERSION_THAT_KNOWS_STORAGE_ERRORS;
        return new PartitionData()
                .setPartitionIndex(partition.index)
                .setErrorCode((notKnown ? Errors.NOT_LEADER_OR_FOLLOWER : error).code())
                .setHighWatermark(-1)
                .setLastStableOffset(-1)
                .setLogStartOffset(-1)
                .setAbortedTransactions(null)
                .setRecords(MemoryRecords.EMPTY);
    }
}
