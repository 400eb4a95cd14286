package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * A log as segment files. On the path after {@code partition}, which decides who may append and read; before {@link SegmentFile}.
 *
 * <p>An append is: judge the batch (no lock), stamp it, ask the producers, one write, one volatile publication of {@link LogView}. A
 * read takes the view and no lock.
 *
 * <p>Threads: any. {@link #lock} guards every change; {@link #flushLock} orders forces, is taken first, and is not held by appends.
 */
final class SegmentedLog implements PartitionLog {
    private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

    private final LogParts parts;
    private final DiskDirectory directory;
    private final LeaderEpochs epochs;
    private final ProducerStates producers;
    private final SegmentStore segments;
    private final GroupCommit.Waiters waiters = new GroupCommit.Waiters();
    private final Object lock = new Object();
    private final Object flushLock = new Object();
    private volatile Uuid topicId;
    private volatile LogConfig config;
    private volatile LogView view;
    private volatile long logStartOffset;
    private volatile long recoveryPoint;
    private volatile long highWatermark;
    private volatile long lastFlushMs;
    private volatile boolean configured;
    private volatile boolean closed;
    private volatile int truncations; // written under the lock

    /** What a log is made of; the loader or the creation of a new one provides it. */
    record LogParts(
            TopicPartition partition,
            Uuid topicId,
            LogFolder folder,
            DiskDirectory directory,
            LogEnvironment environment,
            BatchValidator validator,
            LogOwner owner) {}

    /** What loading found. */
    record Loaded(
            LogView view, long logStartOffset, long recoveryPoint, LeaderEpochs epochs, ProducerStates producers) {}

    SegmentedLog(LogParts parts, LogConfig config, Loaded loaded) {
        this.parts = parts;
        this.directory = parts.directory();
        this.topicId = parts.topicId();
        this.config = config;
        this.view = loaded.view();
        this.logStartOffset = loaded.logStartOffset();
        this.recoveryPoint = loaded.recoveryPoint();
        this.highWatermark = loaded.logStartOffset();
        this.epochs = loaded.epochs();
        this.producers = loaded.producers();
        this.segments = new SegmentStore(parts);
        this.lastFlushMs = parts.environment().clock().monotonicMillis();
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
        return config;
    }

    @Override
    public void reconfigure(LogConfig newConfig) {
        config = newConfig;
        configured = true;
    }

    /** Whether the topic's own settings are known: before that nothing is deleted or cleaned by the defaults. */
    boolean configured() {
        return configured;
    }

    LogView view() {
        return view;
    }

    ProducerStates producers() {
        return producers;
    }

    GroupCommit.Waiters waiters() {
        return waiters;
    }

    Object lock() {
        return lock;
    }

    SegmentStore store() {
        return segments;
    }

    // ---- append

    @Override
    public AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch) {
        return append(records, origin, leaderEpoch, (short) 0);
    }

    /**
     * As {@link #append(MemoryRecords, AppendOrigin, int)}.
     *
     * @param transactionVersion of a transaction's marker (KIP-890): from 2 on its epoch must be new
     */
    @Override
    public AppendResult append(MemoryRecords records, AppendOrigin origin, int leaderEpoch, short transactionVersion) {
        LogConfig settings = config;
        BatchValidator.ValidatedBatch valid = parts.validator()
                .validate(records, origin, settings, parts.environment().clock().wallMillis());
        ByteBuffer buffer = valid.buffer();
        int from = buffer.position();
        if (buffer.remaining() > settings.segmentBytes()) {
            throw new RecordBatchTooLargeException(
                    "The batches of " + buffer.remaining() + " bytes exceed segment.bytes " + settings.segmentBytes());
        }
        synchronized (lock) {
            requireOpen();
            if (origin == AppendOrigin.CLIENT && BatchHeader.producerId(buffer, from) >= 0) {
                ProducerStates.Duplicate same = producers.duplicateOf(buffer, from);
                if (same != null) {
                    return new AppendResult(
                            same.firstOffset(), same.lastOffset(), same.timestamp(), logStartOffset, true, 0, 0);
                }
            }
            long first = view.endOffset();
            try {
                long end = prepare(buffer, origin, leaderEpoch, transactionVersion);
                first = BatchHeader.baseOffset(buffer, from);
                write(buffer, end, settings);
                return new AppendResult(
                        first,
                        end - 1,
                        valid.logAppendTimeMs(),
                        logStartOffset,
                        false,
                        buffer.limit() - from,
                        valid.records());
            } catch (IOException e) {
                throw directory.failed("An append to " + parts.partition(), e);
            }
        }
    }

    /** Stamps and judges every batch and records new epochs; returns the offset after the last. */
    private long prepare(ByteBuffer buffer, AppendOrigin origin, int leaderEpoch, short transactionVersion)
            throws IOException {
        long next = view.endOffset();
        for (int at = buffer.position(); at < buffer.limit(); at += BatchHeader.sizeInBytes(buffer, at)) {
            if (origin != AppendOrigin.REPLICATION) {
                BatchHeader.stamp(buffer, at, next, leaderEpoch);
                if (BatchHeader.producerId(buffer, at) >= 0) {
                    producers.check(buffer, at, origin, transactionVersion);
                }
            } else if (BatchHeader.baseOffset(buffer, at) < next) {
                throw new OffsetOutOfRangeException("A batch at offset " + BatchHeader.baseOffset(buffer, at)
                        + " cannot follow offset " + (next - 1) + " of " + parts.partition());
            }
            int epoch = BatchHeader.leaderEpoch(buffer, at);
            if (epoch >= 0 && epochs.isNews(epoch, BatchHeader.baseOffset(buffer, at))) {
                epochs.assign(epoch, BatchHeader.baseOffset(buffer, at));
            }
            next = BatchHeader.lastOffset(buffer, at) + 1;
        }
        return next;
    }

    private void write(ByteBuffer buffer, long end, LogConfig settings) throws IOException {
        int from = buffer.position();
        maybeRoll(buffer, end - 1, settings);
        Segment active = view.active();
        active.append(buffer);
        buffer.position(from);
        for (int at = from; at < buffer.limit(); at += BatchHeader.sizeInBytes(buffer, at)) {
            TransactionIndex.Aborted aborted = producers.apply(buffer, at);
            if (aborted != null) {
                active.transactions().append(aborted);
            }
        }
        view = view.withEnd(end, active.size());
        if (end - recoveryPoint >= settings.flushMessages()) {
            directory.commits().request(this);
        }
    }

    private void maybeRoll(ByteBuffer buffer, long lastOffset, LogConfig settings) throws IOException {
        Segment active = view.active();
        boolean tooLarge = active.size() > settings.segmentBytes() - buffer.remaining();
        boolean tooOld = active.size() > 0
                && active.waitedMs(
                                parts.environment().clock().wallMillis(),
                                BatchHeader.maxTimestamp(buffer, buffer.position()))
                        > settings.segmentMs() - jitterMs(settings);
        if (tooLarge || tooOld || active.isFull(lastOffset, settings.segmentIndexBytes())) {
            long end = view.endOffset();
            boolean far = lastOffset - end > Integer.MAX_VALUE;
            roll(far ? BatchHeader.baseOffset(buffer, buffer.position()) : end);
        }
    }

    /** The same for one segment at every call, different between partitions: their rolls do not all fall together. */
    private long jitterMs(LogConfig settings) {
        long most = Math.min(settings.segmentJitterMs(), settings.segmentMs());
        return most <= 0
                ? 0
                : Math.floorMod(
                        parts.partition().hashCode() * 31L + view.active().baseOffset(), most);
    }

    /** Begins a new segment; the old one is forced later, on the directory's forcer. Holds the lock. */
    private void roll(long newBase) throws IOException {
        LogView before = view;
        Segment old = before.active();
        if (old.size() == 0 && old.baseOffset() == newBase) {
            return;
        }
        old.seal();
        producers.takeSnapshot();
        Segment next = Segment.create(
                parts.folder(), newBase, "", config, parts.environment().clock().wallMillis());
        view = old.size() == 0 ? segments.replaced(before, List.of(old), next) : before.rolled(next);
        directory.commits().request(this);
    }

    /** Begins a new segment at the end, for retention. */
    void roll() {
        change("Rolling", () -> roll(view.endOffset()));
    }

    // ---- durability

    @Override
    public CompletableFuture<Void> durable(long offset) {
        if (config.durability() == LogConfig.Durability.OS || offset <= recoveryPoint) {
            return DONE;
        }
        CompletableFuture<Void> forced = new CompletableFuture<>();
        waiters.add(offset, forced);
        if (!directory.online() || closed) {
            waiters.fail(new LogStorageException("The log " + parts.partition() + " is closed or offline"));
        } else {
            directory.commits().request(this);
        }
        return forced;
    }

    @Override
    public void flush() {
        synchronized (flushLock) {
            requireOpen();
            LogView now = view;
            long from = recoveryPoint;
            if (now.endOffset() > from) {
                try {
                    segments.force(now, from);
                    forceSnapshots(from);
                } catch (IOException e) {
                    throw directory.broken("A force of " + parts.partition(), e);
                }
                synchronized (lock) {
                    // a truncation meanwhile has lowered the end
                    recoveryPoint = Math.max(recoveryPoint, Math.min(now.endOffset(), view.endOffset()));
                }
            }
            lastFlushMs = parts.environment().clock().monotonicMillis();
        }
        waiters.complete(recoveryPoint);
    }

    private void forceSnapshots(long from) throws IOException {
        List<Long> fresh;
        synchronized (lock) {
            fresh = producers.snapshotsFrom(from);
        }
        producers.force(fresh);
    }

    /** flush.ms has passed since the last force and something came since. */
    boolean flushDue(long nowMonotonicMs) {
        return view.endOffset() > recoveryPoint && nowMonotonicMs - lastFlushMs >= config.flushMs();
    }

    // ---- read

    @Override
    public ReadResult read(long offset, int maxBytes, long upTo, boolean atLeastOne, boolean aborted)
            throws IOException {
        directory.requireOnline();
        LogView now = view;
        if (offset < logStartOffset || offset > now.endOffset()) {
            throw new OffsetOutOfRangeException("Offset " + offset + " of " + parts.partition() + " is not in "
                    + logStartOffset + " to " + now.endOffset());
        }
        try {
            return LogReader.read(now, new LogReader.Request(offset, maxBytes, upTo, atLeastOne, aborted));
        } catch (IOException e) {
            if (view.segments() != now.segments()) {
                throw new OffsetOutOfRangeException("Offset " + offset + " of " + parts.partition() + " was deleted");
            }
            throw directory.failed("A read of " + parts.partition(), e);
        }
    }

    @Override
    public Optional<TimestampOffset> offsetForTimestamp(long timestamp, long upTo) throws IOException {
        return withEpoch(TimestampSearch.first(view, timestamp, logStartOffset, upTo));
    }

    @Override
    public Optional<TimestampOffset> maxTimestamp(long upTo) throws IOException {
        return withEpoch(TimestampSearch.max(view, logStartOffset, upTo));
    }

    private Optional<TimestampOffset> withEpoch(Optional<TimestampSearch.Found> found) {
        return found.map(f -> new TimestampOffset(f.timestamp(), f.offset(), epochs.at(f.offset())));
    }

    // ---- what is known

    @Override
    public long logStartOffset() {
        return logStartOffset;
    }

    @Override
    public long logEndOffset() {
        return view.endOffset();
    }

    @Override
    public long firstUnstableOffset() {
        long first = producers.firstUnstableOffset();
        return first == ProducerStates.NONE ? view.endOffset() : Math.max(first, logStartOffset);
    }

    @Override
    public long recoveryPoint() {
        return recoveryPoint;
    }

    @Override
    public long sizeInBytes() {
        return view.sizeInBytes();
    }

    @Override
    public int segmentCount() {
        return view.segments().length;
    }

    long firstBaseOffset() {
        return view.segments()[0].baseOffset();
    }

    @Override
    public OptionalInt latestEpoch() {
        return epochs.latest();
    }

    @Override
    public void onLeaderEpoch(int epoch) {
        change("Recording a leader epoch", () -> epochs.assign(epoch, view.endOffset()));
    }

    @Override
    public EpochEnd endOffsetFor(int epoch) {
        return epochs.endOffsetFor(epoch, view.endOffset());
    }

    @Override
    public OptionalInt epochAt(long offset) {
        return epochs.at(offset);
    }

    @Override
    public List<ProducerInfo> activeProducers() {
        synchronized (lock) {
            return producers.describe();
        }
    }

    void expireProducers(long nowMs) {
        synchronized (lock) {
            producers.expire(nowMs);
        }
    }

    @Override
    public void onHighWatermark(long offset) {
        highWatermark = offset;
        if (producers.hasUnstable()) {
            synchronized (lock) {
                producers.onHighWatermark(offset);
            }
        }
    }

    long highWatermark() {
        return highWatermark;
    }

    // ---- taking away

    @Override
    public long deleteRecordsBefore(long offset) {
        boolean[] moved = new boolean[1];
        change("Deleting records", () -> {
            if (offset > view.endOffset()) {
                throw new OffsetOutOfRangeException(
                        "Offset " + offset + " of " + parts.partition() + " is beyond the end " + view.endOffset());
            }
            moved[0] = startAt(offset);
        });
        if (moved[0]) {
            parts.owner().checkpoint(directory);
            change("Deleting segments", () -> dropSegmentsBelow(logStartOffset));
        }
        return logStartOffset;
    }

    private boolean startAt(long offset) throws IOException {
        if (offset <= logStartOffset) {
            return false;
        }
        logStartOffset = offset;
        epochs.truncateFromStart(offset);
        return true;
    }

    /** Takes away the segments that end at or below {@code offset}, never the active one. Returns how many. */
    int deleteSegmentsBelow(long offset) {
        int[] dropped = new int[1];
        change("Deleting segments", () -> {
            startAt(Math.min(offset, view.endOffset()));
            dropped[0] = dropSegmentsBelow(offset);
        });
        return dropped[0];
    }

    private int dropSegmentsBelow(long offset) throws IOException {
        LogView before = view;
        int n = 0;
        while (n < before.segments().length - 1 && before.segments()[n + 1].baseOffset() <= offset) {
            n++;
        }
        if (n > 0) {
            List<Segment> gone = List.of(before.segments()).subList(0, n);
            view = segments.without(before, gone);
            segments.deleteLater(gone, config.fileDeleteDelayMs());
            producers.deleteSnapshotsBelow(view.segments()[0].baseOffset());
        }
        return n;
    }

    @Override
    public void truncateTo(long offset) {
        synchronized (flushLock) {
            change("Truncating", () -> {
                if (offset >= view.endOffset()) {
                    return;
                }
                if (offset <= firstBaseOffset()) {
                    restartAt(offset);
                    return;
                }
                truncations++;
                view = segments.truncated(view, offset);
                recoveryPoint = Math.min(recoveryPoint, offset);
                epochs.truncateFromEnd(offset);
                long now = parts.environment().clock().wallMillis();
                producers.truncateTo(logStartOffset, offset, now);
                segments.replay(view, producers);
                highWatermark = Math.min(highWatermark, offset);
                logStartOffset = Math.min(logStartOffset, offset);
            });
            onTruncated(offset);
        }
    }

    @Override
    public void truncateFully(long offset) {
        synchronized (flushLock) {
            change("Truncating", () -> restartAt(offset));
            onTruncated(offset);
        }
    }

    /** Before an append: a recovery point or a cleaner's point beyond what is rewritten would skip it. */
    private void onTruncated(long offset) {
        parts.owner().checkpoint(directory);
        parts.owner().truncated(this, offset);
    }

    private void restartAt(long offset) throws IOException {
        truncations++;
        LogView before = view;
        Segment fresh = segments.restart(before, offset, config);
        view = new LogView(new Segment[] {fresh}, offset, 0);
        logStartOffset = offset;
        recoveryPoint = Math.min(recoveryPoint, offset);
        highWatermark = offset;
        epochs.clear();
        producers.startAt(offset);
    }

    /** Counts what took records off the end: what was made of the log before is void then. */
    int truncations() {
        return truncations;
    }

    /** What each producer wrote last, for compaction. */
    Map<Long, CompactableLog.LastRecord> lastRecords() {
        synchronized (lock) {
            return producers.lastRecords();
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
            change("Replacing segments", () -> {
                List<Segment> present = List.of(view.segments());
                replaced[0] = truncationsBefore == truncations
                        && present.subList(0, present.size() - 1).containsAll(old);
                if (replaced[0]) {
                    view = segments.swap(view, cleaned, old, config.fileDeleteDelayMs());
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
                waiters.fail(new LogStorageException("The log " + parts.partition() + " is closed"));
                segments.closeQuietly(view);
            }
        }
    }

    private void finish() throws IOException {
        producers.takeSnapshot();
        producers.force(producers.snapshotsFrom(view.endOffset()));
        view.active().completeTimeIndex();
        view.active().force();
        parts.folder().files().syncDirectory(parts.folder().path());
    }

    /** No more appends; reads of slices that were handed out go on. The files are left to the caller. */
    void retire() {
        synchronized (lock) {
            closed = true;
        }
        waiters.fail(new NotLeaderOrFollowerException("The log " + parts.partition() + " was moved or deleted"));
    }

    void closeFiles() {
        segments.closeQuietly(view);
    }

    boolean closed() {
        return closed;
    }

    private void requireOpen() {
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
                throw directory.failed(what + " of " + parts.partition(), e);
            }
        }
    }

    @Override
    public String toString() {
        return "SegmentedLog(" + parts.folder().path() + ", start=" + logStartOffset + ", end=" + view.endOffset()
                + ")";
    }
}
