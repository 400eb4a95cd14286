package io.barnabas.log;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * A log as segment files. On the path after {@code partition}, which decides who may append and read; before {@link SegmentFile}.
 *
 * <p>An append is: judge the batch (no lock), stamp it, ask the producers, one write, one volatile publication of {@link LogView}. A
 * read takes the view and no lock.
 *
 * <p>Threads: any. {@link #lock} guards every change; {@link #flushLock} orders forces, is taken first, and is not held by appends.
 */
final class SegmentedLog implements PartitionLog {
    private final LogParts parts;
    private final DiskDirectory directory;
    private final LogState state;
    private final SegmentStore segments;
    private final LogTruncation truncation;
    private final LogTrimming trimming;
    private final LogQueries queries;
    private final BatchAppender appender;
    private final LogDurability durability;
    private final Object lock = new Object();
    private final Object flushLock = new Object();
    private volatile Uuid topicId;
    private volatile boolean configured;
    private volatile boolean closed;
    private volatile @Nullable SegmentedLog successor; // the log in its new directory, after a move

    /** What a log is made of; the loader or the creation of a new one provides it. */
    record LogParts(
            TopicPartition partition,
            Uuid topicId,
            LogFolder folder,
            DiskDirectory directory,
            LogEnvironment environment,
            BatchValidator validator,
            LogOwner owner) {}

    /** What loading made. */
    record Loaded(
            LogView view,
            long logStartOffset,
            long recoveryPoint,
            LeaderEpochs epochs,
            ProducerStates producers,
            Findings findings) {}

    /**
     * What loading found out about the files.
     *
     * @param checkedFrom segments from this base offset on were read whole
     * @param cut whether records were taken off the end
     * @param damage what is damaged and was left as it is, if anything
     */
    record Findings(long checkedFrom, boolean cut, @Nullable String damage) {}

    SegmentedLog(LogParts parts, LogConfig config, Loaded loaded) {
        this.parts = parts;
        this.directory = parts.directory();
        this.topicId = parts.topicId();
        this.state = new LogState(config, loaded);
        this.segments = new SegmentStore(parts);
        this.truncation = new LogTruncation(this, parts, state, segments);
        this.trimming = new LogTrimming(this, parts, state, segments);
        this.queries = new LogQueries(this, parts, state);
        this.appender = new BatchAppender(this, parts, state, segments, truncation);
        this.durability = new LogDurability(this, parts, state, segments);
    }

    @Override
    public TopicPartition topicPartition() {
        return parts.partition();
    }

    @Override
    public Uuid topicId() {
        return topicId;
    }

    /** A folder without a topic id (of an old broker's, or with its metadata file damaged) belongs to this topic. */
    void adopt(Uuid id) {
        change("Writing partition.metadata", () -> PartitionMetadata.write(parts.folder(), id));
        topicId = id;
    }

    @Override
    public DataDirectory directory() {
        return directory;
    }

    DiskDirectory disk() {
        return directory;
    }

    LogFolder folder() {
        return parts.folder();
    }

    @Override
    public LogConfig config() {
        return state.config;
    }

    @Override
    public void reconfigure(LogConfig newConfig) {
        state.config = newConfig;
        configured = true;
    }

    /** Whether the topic's own settings are known: before that nothing is deleted or cleaned by the defaults. */
    boolean configured() {
        return configured;
    }

    LogView view() {
        return state.view;
    }

    /** Segments that were there at the start, from this base offset on, were read whole then. */
    long checkedFrom() {
        return state.checkedFrom;
    }

    ProducerStates producers() {
        return state.producers;
    }

    Object lock() {
        return lock;
    }

    Object flushLock() {
        return flushLock;
    }

    // ---- append

    @Override
    public AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch) {
        return append(records, origin, leaderEpoch, AppendTerms.NONE);
    }

    @Override
    public AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch, AppendTerms terms) {
        LogConfig settings = state.config;
        BatchValidator.ValidatedBatch valid = parts.validator()
                .validate(records, origin, settings, parts.environment().clock().wallMillis());
        if (origin != AppendOrigin.REPLICATION) {
            appender.requireFits(valid.buffer(), settings);
        }
        synchronized (lock) {
            requireOpen();
            try {
                directory.requireRoom(valid.buffer().remaining());
                return appender.append(valid, origin, leaderEpoch, terms);
            } catch (IOException e) {
                throw directory.failed("An append to " + parts.partition(), e);
            }
        }
    }

    @Override
    public long beginVerification(long producerId, short producerEpoch, int baseSequence, boolean epochBump) {
        synchronized (lock) {
            requireOpen();
            return state.producers.beginVerification(
                    producerId,
                    new TransactionVerifications.Question(producerEpoch, baseSequence, epochBump),
                    parts.environment().clock().wallMillis());
        }
    }

    /** Begins a new segment at the end, for retention. */
    void roll() {
        change("Rolling", () -> appender.roll(state.view.endOffset()));
    }

    /** The next record is {@code offset}: the log that this one is a copy of holds nothing between this one's end and there. */
    void skipTo(long offset) {
        change("Skipping to " + offset, () -> appender.skipTo(offset));
    }

    // ---- durability

    @Override
    public CompletableFuture<Void> durable(long offset) {
        return durability.durable(offset);
    }

    @Override
    public void flush() {
        durability.flush();
    }

    LogDurability durability() {
        return durability;
    }

    // ---- read

    @Override
    public ReadResult read(long offset, int maxBytes, long upTo, boolean atLeastOne, boolean aborted)
            throws IOException {
        return queries.read(new LogReader.Request(offset, maxBytes, upTo, atLeastOne, aborted));
    }

    @Override
    public Optional<TimestampOffset> offsetForTimestamp(long timestamp, long upTo) {
        return queries.first(timestamp, upTo);
    }

    @Override
    public Optional<TimestampOffset> maxTimestamp(long upTo) {
        return queries.max(upTo);
    }

    // ---- what is known

    @Override
    public long logStartOffset() {
        return state.logStartOffset;
    }

    @Override
    public long logEndOffset() {
        return state.view.endOffset();
    }

    @Override
    public long firstUnstableOffset() {
        long first = state.producers.firstUnstableOffset();
        return first == ProducerStates.NONE ? state.view.endOffset() : Math.max(first, state.logStartOffset);
    }

    @Override
    public long recoveryPoint() {
        return state.recoveryPoint;
    }

    @Override
    public long sizeInBytes() {
        return state.view.sizeInBytes();
    }

    @Override
    public int segmentCount() {
        return state.view.segments().length;
    }

    @Override
    public OptionalInt latestEpoch() {
        return state.epochs.latest();
    }

    @Override
    public void onLeaderEpoch(int epoch) {
        change("Recording a leader epoch", () -> state.epochs.assign(epoch, state.view.endOffset()));
    }

    @Override
    public EpochEnd endOffsetFor(int epoch) {
        return state.epochs.endOffsetFor(epoch, state.view.endOffset());
    }

    @Override
    public OptionalInt epochAt(long offset) {
        return state.epochs.at(offset);
    }

    @Override
    public List<ProducerInfo> activeProducers() {
        synchronized (lock) {
            return state.producers.describe();
        }
    }

    void expireProducers(long nowMs) {
        synchronized (lock) {
            state.producers.expire(nowMs);
        }
    }

    @Override
    public void onHighWatermark(long offset) {
        state.raiseHighWatermark(offset);
        if (state.producers.hasUnstable()) {
            synchronized (lock) {
                state.producers.onHighWatermark(offset);
            }
        }
    }

    @Override
    public long highWatermark() {
        return state.highWatermark;
    }

    /** Not above a cut that is under way. */
    long highWatermarkToWrite() {
        return Math.min(state.cuttingAt, state.highWatermark);
    }

    // ---- taking away

    @Override
    public long deleteRecordsBefore(long offset) {
        return trimming.deleteRecordsBefore(offset);
    }

    /** Takes away the segments that end at or below {@code offset}, never the active one. Returns how many. */
    int deleteSegmentsBelow(long offset) {
        return trimming.deleteSegmentsBelow(offset);
    }

    @Override
    public void truncateTo(long offset) {
        truncate(() -> truncation.truncateTo(offset));
    }

    @Override
    public void truncateFully(long offset) {
        truncate(() -> truncation.truncateFully(offset));
    }

    private void truncate(Change by) {
        synchronized (flushLock) {
            change("Truncating", by);
        }
        durability.onTruncation();
    }

    /** Counts what took records off the end: what was made of the log before is void then. */
    int truncations() {
        return state.truncations();
    }

    /** What each producer wrote last, for compaction. */
    Map<Long, CompactableLog.LastRecord> lastRecords() {
        synchronized (lock) {
            return state.producers.lastRecords();
        }
    }

    /**
     * Puts cleaned segments in the place of those they were made of.
     *
     * @return false if the log was truncated or closed since, or lost one of the segments; nothing is changed then
     */
    boolean replaceSegments(List<Segment> cleaned, List<Segment> old, int truncationsBefore) {
        boolean[] replaced = new boolean[1];
        synchronized (lock) {
            if (closed) {
                return false;
            }
            changeWhole("Replacing segments", () -> {
                List<Segment> present = List.of(state.view.segments());
                replaced[0] = truncationsBefore == state.truncations()
                        && present.subList(0, present.size() - 1).containsAll(old);
                if (replaced[0]) {
                    state.view = segments.swap(state.view, cleaned, old, state.config.fileDeleteDelayMs());
                    state.producers.snapshots().deleteWithin(old, cleaned);
                }
            });
        }
        return replaced[0];
    }

    // ---- life

    /** Seals everything and forces it, so that the next start need not look into the files. */
    void close() {
        synchronized (flushLock) {
            if (closed) {
                return;
            }
            try {
                if (directory.online()) {
                    flush();
                    change("Closing", this::finish);
                }
            } finally {
                closed = true;
                durability.fail(new LogStorageException("The log " + parts.partition() + " is closed"));
                segments.closeQuietly(state.view);
            }
        }
    }

    private void finish() throws IOException {
        state.producers.takeSnapshot();
        state.producers.snapshots().force(state.producers.snapshots().from(state.view.endOffset()));
        state.view.active().completeTimeIndex();
        state.view.active().force();
        parts.folder().files().syncDirectory(parts.folder().path());
        state.indexedBelow = state.view.endOffset();
    }

    /** What the checkpoint of recovery points may say of this log. */
    long recoveryPointToWrite() {
        return state.recoveryPointToWrite();
    }

    /** What the checkpoint of log start offsets may say of this log. */
    long logStartToWrite() {
        return state.logStartToWrite();
    }

    /** The checkpoint files say so now. */
    void onCheckpointed(long point, long start) {
        state.checkpointedPoint = point;
        state.checkpointedStart = start;
    }

    /** Below it segments may be compacted: under the high watermark, and known to be forced after a crash too. */
    long compactableBelow() {
        return Math.min(state.highWatermark, state.checkpointedPoint);
    }

    /** No more appends; reads of slices that were handed out go on. The files are left to the caller. */
    void retire() {
        synchronized (lock) {
            closed = true;
        }
        durability.fail(new NotLeaderOrFollowerException("The log " + parts.partition() + " was moved or deleted"));
    }

    /** As {@link #retire}; who holds this log still is told where it is now. */
    void retireFor(SegmentedLog next) {
        successor = next;
        retire();
    }

    void closeFiles() {
        segments.closeQuietly(state.view);
    }

    boolean closed() {
        return closed;
    }

    void requireOpen() {
        SegmentedLog next = successor;
        if (next != null) {
            throw new LogMovedException(this, next);
        }
        directory.requireOnline();
        if (closed) {
            throw new NotLeaderOrFollowerException("The log " + parts.partition() + " was moved, deleted or closed");
        }
    }

    /** A change that may fail on the disk. */
    interface Change {
        void run() throws IOException;
    }

    void change(String what, Change change) {
        synchronized (lock) {
            requireOpen();
            try {
                change.run();
            } catch (IOException e) {
                if (e instanceof DamagedSegmentException) {
                    parts.owner().damaged(this, e);
                }
                throw directory.failed(what + " of " + parts.partition(), e);
            }
        }
    }

    /** A change that, half done, leaves what only recovery can mend: even for want of room the directory goes offline. */
    void changeWhole(String what, Change change) {
        change(what, () -> {
            try {
                change.run();
            } catch (IOException e) {
                throw directory.broken(what + " of " + parts.partition(), e);
            }
        });
    }

    @Override
    public String toString() {
        return "SegmentedLog(" + parts.folder().path() + ", start=" + state.logStartOffset + ", end="
                + state.view.endOffset() + ")";
    }
}
