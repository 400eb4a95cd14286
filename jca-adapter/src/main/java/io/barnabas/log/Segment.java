package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stretch of a log: one file of batches and its three indexes.
 *
 * <p>Threads: appends, rolls and truncations hold the log's lock; look-ups take no lock but the indexes' monitors. What a look-up finds
 * is checked against the batch header it must read anyway, so that a damaged index is noticed and rebuilt, never believed. Who rebuilds
 * or asks for the greatest timestamp may come without the log's lock; so these, appends and truncations hold the segment's monitor, which
 * is taken after the log's lock and before the indexes' monitors.
 */
final class Segment {
    private static final Logger LOG = LoggerFactory.getLogger(Segment.class);

    private final LogFolder folder;
    private final long baseOffset;
    private final SegmentFile file;
    private final OffsetIndex offsets;
    private final TimeIndex times;
    private final TransactionIndex transactions;
    private final RecentBatches recent = new RecentBatches();
    private final long createdMs;
    private final int indexIntervalBytes;
    // guarded by the log's lock, and where a rebuild may come in between by this too
    private int bytesSinceIndexEntry;
    private long firstTimestamp = -1;
    // guarded by this
    private long maxTimestamp = Long.MIN_VALUE; // MIN_VALUE: not looked up yet
    private long maxTimestampOffset;

    private Segment(LogFolder folder, long baseOffset, String suffix, Origin origin) throws IOException {
        this.folder = folder;
        this.baseOffset = baseOffset;
        this.createdMs = origin.nowMs();
        this.indexIntervalBytes = origin.indexIntervalBytes();
        String name = LogFolder.fileName(baseOffset, LogFolder.LOG) + suffix;
        this.file = origin.create() ? SegmentFile.create(folder, name) : SegmentFile.existing(folder, name);
        this.offsets = new OffsetIndex(folder, baseOffset, suffix);
        this.times = new TimeIndex(folder, baseOffset, suffix);
        this.transactions = new TransactionIndex(folder, baseOffset, suffix);
        if (origin.create()) {
            resetIndexes();
        }
    }

    private record Origin(boolean create, long nowMs, int indexIntervalBytes) {}

    /** Makes an empty one; files of that name are emptied. */
    static Segment create(LogFolder folder, long baseOffset, String suffix, LogConfig config, long nowMs)
            throws IOException {
        return new Segment(folder, baseOffset, suffix, new Origin(true, nowMs, config.indexIntervalBytes()));
    }

    /** One that is there; nothing of it is read yet. */
    static Segment open(LogFolder folder, long baseOffset, String suffix, LogConfig config, long nowMs)
            throws IOException {
        return new Segment(folder, baseOffset, suffix, new Origin(false, nowMs, config.indexIntervalBytes()));
    }

    long baseOffset() {
        return baseOffset;
    }

    SegmentFile file() {
        return file;
    }

    OffsetIndex offsets() {
        return offsets;
    }

    TimeIndex times() {
        return times;
    }

    TransactionIndex transactions() {
        return transactions;
    }

    int size() {
        return file.size();
    }

    /** Appends whole batches whose offsets are stamped, with one write, and indexes them. */
    synchronized void append(ByteBuffer batches) throws IOException {
        int at = batches.position();
        int limit = batches.limit();
        int position = file.size();
        loadMaxTimestamp();
        file.append(batches);
        while (at < limit) {
            int size = BatchHeader.sizeInBytes(batches, at);
            index(batches, at, position, size);
            at += size;
            position += size;
        }
    }

    /** Takes one batch, which is in the file already, into the indexes: on append and on rebuild. */
    private void index(ByteBuffer header, int at, int position, int size) throws IOException {
        long base = BatchHeader.baseOffset(header, at);
        long last = BatchHeader.lastOffset(header, at);
        long timestamp = BatchHeader.maxTimestamp(header, at);
        if (firstTimestamp < 0) {
            firstTimestamp = timestamp;
        }
        if (timestamp > maxTimestamp) {
            maxTimestampOffset = last;
            maxTimestamp = timestamp;
        }
        recent.add(base, last, position, size);
        if (bytesSinceIndexEntry > indexIntervalBytes) {
            offsets.append(last, position);
            times.maybeAppend(maxTimestamp, maxTimestampOffset);
            bytesSinceIndexEntry = 0;
        }
        bytesSinceIndexEntry += size;
    }

    /** Where the batch that holds {@code offset}, or the first one behind it, lies; null if the segment ends before. */
    @Nullable
    Place find(long offset) throws IOException {
        Place near = recent.find(offset);
        return near != null ? near : findInFile(offset, true);
    }

    private @Nullable Place findInFile(long offset, boolean mayRebuild) throws IOException {
        OffsetIndex.Entry entry = offsets.floor(offset);
        int end = file.size();
        BatchCursor cursor = BatchCursor.over(file, Math.min(entry.position(), end), end);
        boolean first = entry.position() > 0;
        while (cursor.next()) {
            long last = cursor.lastOffset();
            if (first && last != entry.offset()) {
                break;
            }
            first = false;
            if (last >= offset) {
                return new Place(cursor.baseOffset(), last, cursor.position(), cursor.size());
            }
        }
        if (first || cursor.fault() != null) {
            if (mayRebuild) {
                return findAgain(offset);
            }
            throw new DamagedSegmentException(file.name(), cursor);
        }
        return null;
    }

    /** What did not fit may have been cut off meanwhile. What does not fit under the monitor either is a damaged index. */
    private synchronized @Nullable Place findAgain(long offset) throws IOException {
        try {
            return findInFile(offset, false);
        } catch (IOException e) {
            LOG.warn(
                    "Index does not fit its segment, rebuilding: file={} error={}",
                    offsets.file().name(),
                    e.toString());
            rebuildIndexes();
            return findInFile(offset, false);
        }
    }

    /** Makes offset and time index anew from the batches. The transaction index is recovery's affair. */
    synchronized void rebuildIndexes() throws IOException {
        synchronized (offsets.file()) {
            synchronized (times.file()) {
                offsets.file().reset();
                times.file().reset();
                int since = bytesSinceIndexEntry;
                bytesSinceIndexEntry = 0;
                maxTimestamp = -1;
                maxTimestampOffset = baseOffset;
                BatchCursor cursor = BatchCursor.scan(file, 0, file.size());
                recent.clear();
                while (cursor.next()) {
                    index(cursor.header(), cursor.at(), cursor.position(), cursor.size());
                }
                if (cursor.fault() != null) {
                    throw new DamagedSegmentException(file.name(), cursor);
                }
                bytesSinceIndexEntry = Math.max(since, bytesSinceIndexEntry);
            }
        }
    }

    /** The offset after the last record: walks from the last index entry to the file's end. */
    long readNextOffset() throws IOException {
        OffsetIndex.Entry entry = offsets.last();
        int end = file.size();
        long next = baseOffset;
        int walked = 0;
        BatchCursor cursor = BatchCursor.over(file, Math.min(entry.position(), end), end);
        while (cursor.next()) {
            if (walked == 0 && entry.position() > 0 && cursor.lastOffset() != entry.offset()) {
                throw new IOException("Index entry " + entry + " does not fit " + file.name());
            }
            next = cursor.lastOffset() + 1;
            walked += cursor.size();
        }
        if (cursor.fault() != null || (walked == 0 && end > 0)) {
            throw new DamagedSegmentException(file.name(), cursor);
        }
        bytesSinceIndexEntry = walked;
        return next;
    }

    /** Greatest timestamp of a record, or -1. */
    synchronized long maxTimestamp() throws IOException {
        if (maxTimestamp == Long.MIN_VALUE) {
            loadMaxTimestamp();
            idle(); // an append, which would lose its channel, waits for the monitor
        }
        return maxTimestamp;
    }

    /** Under the monitor: else what an append found meanwhile would be overwritten. */
    private void loadMaxTimestamp() throws IOException {
        if (maxTimestamp == Long.MIN_VALUE) {
            TimeIndex.Entry last = times.last();
            if (last.timestamp() == -1 ? file.size() == 0 : isSound(last)) {
                maxTimestampOffset = last.offset();
                maxTimestamp = last.timestamp();
            } else {
                LOG.warn(
                        "Time index does not fit its segment, rebuilding: file={} entry={}",
                        times.file().name(),
                        last);
                rebuildIndexes();
            }
        }
    }

    /** Gives back the descriptors; the next use opens the files again. */
    void idle() throws IOException {
        offsets.file().idle();
        times.file().idle();
        transactions.file().idle();
        file.idle();
    }

    /** The last time index entry below {@code timestamp}, checked against its batch. */
    TimeIndex.Entry soundTimeEntryBelow(long timestamp) throws IOException {
        TimeIndex.Entry entry = times.lower(timestamp);
        if (!isSound(entry)) {
            LOG.warn(
                    "Time index does not fit its segment, rebuilding: file={} entry={}",
                    times.file().name(),
                    entry);
            rebuildIndexes();
            entry = times.lower(timestamp);
        }
        return entry;
    }

    private boolean isSound(TimeIndex.Entry entry) throws IOException {
        if (entry.timestamp() == -1) {
            return true;
        }
        if (entry.offset() < baseOffset) {
            return false;
        }
        Place place = find(entry.offset());
        if (place == null || place.baseOffset() > entry.offset()) {
            return false;
        }
        BatchCursor cursor = BatchCursor.over(file, place.position(), place.end());
        return cursor.next() && cursor.maxTimestamp() == entry.timestamp();
    }

    /** What retention by time goes by: the greatest timestamp, or for a segment without any the file's own time. */
    long retentionTimestamp() throws IOException {
        long timestamp = maxTimestamp();
        return timestamp >= 0 ? timestamp : file.lastModifiedMs();
    }

    /** How long this has been the active segment, by the records' time if they have any (as Kafka measures segment.ms). */
    long waitedMs(long nowMs, long newTimestamp) throws IOException {
        if (firstTimestamp < 0 && file.size() > 0) {
            BatchCursor cursor = BatchCursor.over(file, 0, file.size());
            if (cursor.next()) {
                firstTimestamp = cursor.maxTimestamp();
            }
        }
        return firstTimestamp >= 0 ? newTimestamp - firstTimestamp : nowMs - createdMs;
    }

    /** Whether no further batch fits: relative offsets are 31 bits, indexes have a limit. */
    boolean isFull(long lastOffset, int maxIndexBytes) throws IOException {
        return lastOffset - baseOffset > Integer.MAX_VALUE
                || offsets.file().count() >= maxIndexBytes / OffsetIndex.ENTRY_SIZE
                || times.file().count() >= maxIndexBytes / TimeIndex.ENTRY_SIZE;
    }

    /** The segment takes no more: its indexes are completed and written. */
    void seal() throws IOException {
        completeTimeIndex();
        flushIndexes(false);
        recent.clear();
    }

    /** The last entry of a finished time index is the segment's greatest timestamp. */
    synchronized void completeTimeIndex() throws IOException {
        if (maxTimestamp() >= 0) {
            times.maybeAppend(maxTimestamp, maxTimestampOffset);
        }
    }

    private void flushIndexes(boolean force) throws IOException {
        offsets.file().flush(force);
        times.file().flush(force);
        transactions.file().flush(force);
    }

    /** Forces batches and indexes. */
    void force() throws IOException {
        file.force();
        flushIndexes(true);
    }

    /** Drops everything from {@code offset} on; returns the bytes dropped. */
    synchronized int truncateTo(long offset) throws IOException {
        Place place = find(offset);
        recent.clear();
        offsets.truncateTo(offset);
        times.truncateTo(offset);
        transactions.truncateTo(offset);
        int before = file.size();
        if (place != null) {
            file.truncate(place.position());
        }
        findLargestTimestamp();
        if (file.size() == 0) {
            firstTimestamp = -1;
        }
        bytesSinceIndexEntry = 0;
        return before - file.size();
    }

    private void findLargestTimestamp() throws IOException {
        TimeIndex.Entry last = times.last();
        maxTimestampOffset = last.offset();
        maxTimestamp = last.timestamp();
        BatchCursor cursor = BatchCursor.over(file, offsets.floor(last.offset()).position(), file.size());
        while (cursor.next()) {
            if (cursor.maxTimestamp() > maxTimestamp) {
                maxTimestampOffset = cursor.lastOffset();
                maxTimestamp = cursor.maxTimestamp();
            }
        }
    }

    /** Empties the indexes: recovery fills them while it checks the batches. */
    void resetIndexes() throws IOException {
        offsets.file().reset();
        times.file().reset();
        transactions.file().reset();
        recent.clear();
        bytesSinceIndexEntry = 0;
        firstTimestamp = -1;
        maxTimestamp = -1;
        maxTimestampOffset = baseOffset;
    }

    /** Recovery has checked a batch and takes it into the emptied indexes. */
    void reindex(BatchCursor cursor) throws IOException {
        index(cursor.header(), cursor.at(), cursor.position(), cursor.size());
    }

    /**
     * Gives the files another suffix: {@code .cleaned} to {@code .swap} to none, and {@code .deleted}. The log file's own name decides
     * what recovery makes of a crash in between, so it goes first, except that a swap ends with it (README, "swap").
     */
    void changeSuffix(String to) throws IOException {
        if (!to.isEmpty()) {
            file.rename(LogFolder.fileName(baseOffset, LogFolder.LOG) + to);
        }
        offsets.file().rename(LogFolder.fileName(baseOffset, LogFolder.INDEX) + to);
        times.file().rename(LogFolder.fileName(baseOffset, LogFolder.TIME_INDEX) + to);
        transactions.file().rename(LogFolder.fileName(baseOffset, LogFolder.TXN_INDEX) + to);
        if (to.isEmpty()) {
            file.rename(LogFolder.fileName(baseOffset, LogFolder.LOG));
        }
    }

    void delete() throws IOException {
        offsets.file().delete();
        times.file().delete();
        transactions.file().delete();
        file.delete();
    }

    /** Closes without writing anything. */
    void close() throws IOException {
        offsets.file().close();
        times.file().close();
        transactions.file().close();
        file.close();
    }

    @Override
    public String toString() {
        return folder.path().getFileName() + "/" + file.name() + "[" + file.size() + "]";
    }

    /** Where a batch lies. */
    record Place(long baseOffset, long lastOffset, int position, int size) {
        int end() {
            return position + size;
        }
    }
}
