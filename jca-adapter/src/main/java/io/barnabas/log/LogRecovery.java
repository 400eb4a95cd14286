package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the log of one folder, whatever state a crash left it in ({@code README.md} lists the states and argues each).
 *
 * <p>After an orderly end the last segment's tail is walked and the last snapshot read, nothing else. After a crash every segment from
 * the recovery point on is read with its CRCs, its indexes and the producers' state made anew, and the log cut at the first batch that
 * is not whole.
 *
 * <p>One use, one thread.
 */
final class LogRecovery {
    /** For how long after it wrote a producer may send again: delivery.timeout.ms is two minutes by default, clocks step. */
    private static final long RETRIES_MS = 7_200_000;

    /** How far before a snapshot a producer's batches are looked for. */
    private static final int RECALLED_BYTES = 256 << 10;

    private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);

    /** No checkpoint tells the recovery point: everything is read. */
    static final long UNKNOWN = -1;

    /**
     * What checkpoints and marks say.
     *
     * @param recoveryPoint may be {@link #UNKNOWN}
     * @param cleanedBelow how far the log was compacted; -1 if it was not
     */
    record Hints(boolean clean, long recoveryPoint, long logStart, long cleanedBelow) {}

    private final SegmentedLog.LogParts parts;
    private final LogConfig config;
    private final Hints hints;
    private final LogFolder folder;
    private final FileStore files;
    private final long nowMs;
    private final long agesFromMs; // 0 makes no producer too old
    private final LeaderEpochs epochs;
    private final ProducerStates producers;
    private boolean epochsLearned;
    private long rescannedFrom = Long.MAX_VALUE; // indexes from here on are new and not forced
    private boolean cut;
    private @Nullable String damage; // met where nothing is cut

    LogRecovery(SegmentedLog.LogParts parts, LogConfig config, Hints hints, IntSupplier producerExpirationMs) {
        this.parts = parts;
        this.config = config;
        this.hints = hints;
        this.folder = parts.folder();
        this.files = folder.files();
        this.nowMs = parts.environment().clock().wallMillis();
        this.agesFromMs = parts.environment().clock().settled() ? nowMs : 0;
        this.epochs = new LeaderEpochs(folder);
        this.producers = new ProducerStates(parts.partition(), folder, producerExpirationMs);
    }

    SegmentedLog.Loaded load() throws IOException {
        finishSwap(removeLeftovers());
        List<Segment> segments = openSegments();
        boolean epochsWhole = epochs.load();
        if (!epochsWhole) {
            LOG.warn("Damaged leader epoch file, learning it from the batches: partition={}", parts.partition());
        }
        if (segments.isEmpty()) {
            segments.add(Segment.create(folder, hints.logStart(), "", config, nowMs));
        }
        long scanFrom = hints.clean() && epochsWhole ? Long.MAX_VALUE : epochsWhole ? hints.recoveryPoint() : 0;
        long end = scan(segments, scanFrom);
        return finish(segments, end);
    }

    /** The log of a folder that was just made: nothing is looked for in it. */
    SegmentedLog.Loaded begin() throws IOException {
        List<Segment> segments = new ArrayList<>();
        segments.add(Segment.create(folder, hints.logStart(), "", config, nowMs));
        return finish(segments, scan(segments, Long.MAX_VALUE));
    }

    // ---- files that should not be there

    /** Removes what a crash left half done; returns the names that end in {@code .swap}. */
    private List<String> removeLeftovers() throws IOException {
        List<String> swaps = new ArrayList<>();
        long leastCleaned = Long.MAX_VALUE;
        for (Path path : files.list(folder.path())) {
            String name = path.getFileName().toString();
            if (name.endsWith(LogFolder.CLEANED)) {
                leastCleaned = Math.min(leastCleaned, LogFolder.offsetOf(name));
                files.deleteIfExists(path);
            } else if (name.endsWith(LogFolder.DELETED) || name.endsWith(".tmp")) {
                files.deleteIfExists(path);
            } else if (name.endsWith(LogFolder.SWAP)) {
                swaps.add(name);
            } else if (name.endsWith(LogFolder.SNAPSHOT)) {
                producers.snapshots().found(LogFolder.offsetOf(name));
            }
        }
        // segments become .swap from the last to the first: where one is still .cleaned, none behind it counts
        List<String> valid = new ArrayList<>();
        for (String name : swaps) {
            boolean whole = LogFolder.offsetOf(name) < leastCleaned;
            if (whole && files.exists(folder.resolve(logSwapOf(name)))) {
                valid.add(name);
            } else {
                files.deleteIfExists(folder.resolve(name));
            }
        }
        return valid;
    }

    private static String logSwapOf(String name) {
        return LogFolder.fileName(LogFolder.offsetOf(name), LogFolder.LOG) + LogFolder.SWAP;
    }

    /** Completes a swap of cleaned segments: what they replace goes, they get their names. */
    private void finishSwap(List<String> swaps) throws IOException {
        long from = Long.MAX_VALUE;
        long to = Long.MIN_VALUE;
        for (String name : swaps) {
            if (name.endsWith(LogFolder.LOG + LogFolder.SWAP)) {
                long base = LogFolder.offsetOf(name);
                from = Math.min(from, base);
                to = Math.max(to, lastOffsetOf(name) + 1);
            }
        }
        if (swaps.isEmpty()) {
            return;
        }
        LOG.info(
                "Completing an interrupted swap of cleaned segments: partition={} from={} to={}",
                parts.partition(),
                from,
                to);
        for (Path path : files.list(folder.path())) {
            String name = path.getFileName().toString();
            long base = LogFolder.offsetOf(name);
            if (isSegmentFile(name) && base >= from && base < Math.max(to, from + 1)) {
                files.deleteIfExists(path);
            }
        }
        // a segment's log file comes last: until then the others wait for it under their .swap names
        swaps.sort(Comparator.comparing((String name) -> name.endsWith(LogFolder.LOG + LogFolder.SWAP)));
        for (String name : swaps) {
            String plain = name.substring(0, name.length() - LogFolder.SWAP.length());
            files.rename(folder.resolve(name), folder.resolve(plain));
        }
        files.syncDirectory(folder.path());
    }

    private long lastOffsetOf(String logName) throws IOException {
        SegmentFile file = SegmentFile.existing(folder, logName);
        try (file) {
            BatchCursor cursor = BatchCursor.scan(file, 0, file.size());
            long last = LogFolder.offsetOf(logName) - 1;
            while (cursor.next()) {
                last = cursor.lastOffset();
            }
            return last;
        }
    }

    private static boolean isSegmentFile(String name) {
        return name.endsWith(LogFolder.LOG)
                || name.endsWith(LogFolder.INDEX)
                || name.endsWith(LogFolder.TIME_INDEX)
                || name.endsWith(LogFolder.TXN_INDEX);
    }

    // ---- segments

    private List<Segment> openSegments() throws IOException {
        Set<Long> bases = new HashSet<>();
        List<Path> present = files.list(folder.path());
        for (Path path : present) {
            String name = path.getFileName().toString();
            if (name.endsWith(LogFolder.LOG) && LogFolder.offsetOf(name) >= 0) {
                bases.add(LogFolder.offsetOf(name));
            }
        }
        for (Path path : present) {
            String name = path.getFileName().toString();
            if (isSegmentFile(name) && LogFolder.offsetOf(name) >= 0 && !bases.contains(LogFolder.offsetOf(name))) {
                files.deleteIfExists(path); // an index without its segment
            }
        }
        List<Segment> segments = new ArrayList<>();
        for (Long base : bases.stream().sorted().toList()) {
            segments.add(Segment.open(folder, base, "", config, nowMs));
        }
        return segments;
    }

    /** Brings segments and producers in order and finds the log's end; segments from {@code recoverFrom} on are read whole. */
    private long scan(List<Segment> segments, long recoverFrom) throws IOException {
        int first = segments.size();
        // the segment that ends at the recovery point too: its batches are forced, its indexes with the next force only
        while (first > 0 && recoverFrom != Long.MAX_VALUE && endOf(segments, first - 1) >= recoverFrom) {
            first--;
        }
        if (recoverFrom != Long.MAX_VALUE) {
            first = Math.min(
                    first, segments.size() - 1); // the last one at least: its tail was not forced with certainty
        }
        first = Math.min(first, firstUnindexed(segments));
        long end = segments.get(segments.size() - 1).baseOffset();
        if (first == segments.size()) {
            end = endOfLast(segments.get(first - 1));
            if (end < 0) {
                first--;
            }
        }
        rescannedFrom = first < segments.size() ? segments.get(first).baseOffset() : Long.MAX_VALUE;
        long loadAt = first < segments.size() ? segments.get(first).baseOffset() : end;
        long lastSnapshot = producers.snapshots().last();
        producers.loadSnapshot(segments.get(0).baseOffset(), loadAt, agesFromMs);
        producers
                .snapshots()
                .deleteAbove(loadAt); // perhaps not whole, and nobody would look at them until they are needed
        recallBatches(segments);
        replayBefore(segments, first);
        for (int i = first; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            boolean follows =
                    i == first || segment.baseOffset() == end || (segment.baseOffset() > end && mayHaveGap(end));
            if (follows && i > first) {
                producers.takeSnapshotAt(segment.baseOffset());
            }
            boolean whole = follows && recover(segment);
            end = follows ? Math.max(producers.endOffset(), segment.baseOffset()) : end;
            if (!whole) {
                dropFrom(segments, follows ? i + 1 : i);
            }
        }
        cut |= lastSnapshot > end; // an orderly end leaves one there
        return end;
    }

    /**
     * A segment begins at the end of the one before, unless compaction has emptied that end since. What is above the recovery point in
     * the checkpoint is not compacted here, and Kafka's cleaner writes down how far it came: elsewhere a gap is records that a power loss
     * took, and what lies behind them must go too.
     */
    private boolean mayHaveGap(long end) {
        return hints.clean()
                || hints.recoveryPoint() == UNKNOWN
                || end < Math.max(hints.recoveryPoint(), hints.cleanedBelow());
    }

    private static long endOf(List<Segment> segments, int i) {
        return i == segments.size() - 1 ? Long.MAX_VALUE : segments.get(i + 1).baseOffset();
    }

    /** Segments whose index files are missing are recovered, with those that follow, as Kafka does. */
    private int firstUnindexed(List<Segment> segments) throws IOException {
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            if (segment.size() > 0 && !segment.offsets().file().exists()) {
                return i;
            }
        }
        return segments.size();
    }

    /** The offset after the last segment's last record, or -1 if its index and batches do not fit each other. */
    private static long endOfLast(Segment last) {
        try {
            return last.readNextOffset();
        } catch (IOException e) {
            LOG.warn(
                    "The last segment is not as an orderly end leaves it, recovering: segment={} error={}",
                    last,
                    e.toString());
            return -1;
        }
    }

    /** Tells the producers of their batches before the snapshot, as far as retries can reach: the window of five is whole again. */
    private void recallBatches(List<Segment> segments) throws IOException {
        long until = producers.endOffset();
        if (!producers.anyoneSince(nowMs - RETRIES_MS)) {
            return;
        }
        int last = segments.size() - 1;
        while (last >= 0 && segments.get(last).baseOffset() >= until) {
            last--;
        }
        int first = last;
        int bytes = 0;
        while (first > 0 && (bytes += segments.get(first).size()) < RECALLED_BYTES) {
            first--;
        }
        for (int i = Math.max(0, first); i <= last; i++) {
            Segment segment = segments.get(i);
            sparing(() -> recallBatches(segment, until));
        }
    }

    /** Where nothing is cut, what is damaged costs nobody what is not: the log serves the rest, and others see to it. */
    private void sparing(SegmentedLog.Change step) throws IOException {
        try {
            step.run();
        } catch (DamagedSegmentException e) {
            damage = e.getMessage();
        }
    }

    private void recallBatches(Segment segment, long until) throws IOException {
        long from = segment.baseOffset();
        if (segment.size() > RECALLED_BYTES) {
            OffsetIndex.Entry entry = segment.offsets().ceilingOfPosition(segment.size() - RECALLED_BYTES);
            from = entry == null ? until : entry.offset();
        }
        Segment.Place place = from >= until ? null : segment.find(from);
        if (place != null) {
            BatchCursor cursor = BatchCursor.scan(segment.file(), place.position(), segment.size());
            while (cursor.next() && cursor.lastOffset() < until) {
                producers.recall(cursor.header(), cursor.at());
            }
        }
    }

    private void replayBefore(List<Segment> segments, int first) throws IOException {
        for (int i = 0; i < first; i++) {
            if (endOf(segments, i) > producers.endOffset()) {
                Segment segment = segments.get(i);
                sparing(() -> SegmentStore.replay(segment, segment.size(), producers));
            }
        }
    }

    /** Reads a segment whole; cuts it at the first batch that is not. Returns whether nothing was cut. */
    private boolean recover(Segment segment) throws IOException {
        segment.resetIndexes();
        int size = segment.size();
        BatchCursor cursor = BatchCursor.scan(segment.file(), 0, size);
        long next = segment.baseOffset();
        int good = 0;
        String fault = null;
        while (fault == null && cursor.next()) {
            fault = faultOf(cursor, next, segment.baseOffset());
            if (fault == null) {
                take(segment, cursor);
                next = cursor.lastOffset() + 1;
                good = cursor.position() + cursor.size();
            }
        }
        fault = fault == null ? cursor.fault() : fault;
        if (good < size) {
            cut = true;
            LOG.warn("Cutting a log: segment={} at={} of={} offset={} reason={}", segment, good, size, next, fault);
        }
        segment.file().truncate(good);
        if (good < size) {
            segment.file().force(); // a power loss must not bring back what was cut among what is written in its place
        }
        segment.completeTimeIndex();
        return good == size;
    }

    /** What is wrong with a batch behind another that ends before {@code next}; null if nothing is. */
    static @Nullable String faultOf(BatchCursor cursor, long next, long base) throws IOException {
        if (cursor.baseOffset() < next || cursor.lastOffset() < cursor.baseOffset()) {
            return "offset " + cursor.baseOffset() + " after " + (next - 1);
        }
        if (cursor.lastOffset() - base > Integer.MAX_VALUE) {
            return "offset " + cursor.lastOffset() + " too far";
        }
        return cursor.crcMatches() ? null : "CRC";
    }

    private void take(Segment segment, BatchCursor cursor) throws IOException {
        segment.reindex(cursor);
        int epoch = BatchHeader.leaderEpoch(cursor.header(), cursor.at());
        if (epoch >= 0 && (epochs.latest().isEmpty() || epoch > epochs.latest().getAsInt())) {
            epochs.learn(epoch, cursor.baseOffset());
            epochsLearned = true;
        }
        if (epoch >= 0 && epochs.at(cursor.baseOffset()).orElse(epoch) != epoch) { // outside the CRC
            damage = segment + " has leader epoch " + epoch + " at offset " + cursor.baseOffset();
        }
        boolean control = BatchHeader.isControl(cursor.header(), cursor.at());
        TransactionIndex.Aborted aborted =
                control ? producers.apply(cursor.copy(), 0) : producers.apply(cursor.header(), cursor.at());
        if (aborted != null) {
            segment.transactions().append(aborted);
        }
    }

    private void dropFrom(List<Segment> segments, int from) throws IOException {
        for (int i = segments.size() - 1; i >= from; i--) {
            cut = true;
            LOG.warn("Deleting a segment behind a cut: segment={}", segments.get(i));
            segments.get(i).delete();
            segments.remove(i);
        }
    }

    // ---- the end

    private SegmentedLog.Loaded finish(List<Segment> segments, long end) throws IOException {
        long logStart = Math.max(hints.logStart(), segments.get(0).baseOffset());
        if (logStart > end) {
            logStart = logStartBeyondEnd(segments, end);
            end = Math.max(end, logStart);
        }
        epochs.truncateFromEnd(end);
        if (logStart > segments.get(0).baseOffset()) {
            epochs.truncateFromStart(logStart);
        }
        if (epochsLearned) {
            epochs.write();
        }
        if (producers.truncateTo(logStart, end, agesFromMs)) {
            files.syncDirectory(
                    folder.path()); // a snapshot of a lost history must not come back when the log has grown past it
        }
        producers.expire(agesFromMs);
        producers
                .snapshots()
                .deleteStrays(segments.stream().map(Segment::baseOffset).collect(Collectors.toSet()));
        Segment last = segments.get(segments.size() - 1);
        long recoveryPoint = forceBelowRecoveryPoint(segments, end);
        for (Segment each : segments) {
            each.idle();
        }
        LogView view = new LogView(segments.toArray(new Segment[0]), end, last.size());
        return new SegmentedLog.Loaded(
                view,
                logStart,
                recoveryPoint,
                epochs,
                producers,
                new SegmentedLog.Findings(rescannedFrom, cut, damage));
    }

    /**
     * Forces what was read again below the recovery point, since its indexes are new. The point itself must not go back, or the next
     * crash would find compaction's gaps above it and take them for losses; where it was not known, gaps were believed, and all is
     * forced.
     */
    private long forceBelowRecoveryPoint(List<Segment> segments, long end) throws IOException {
        boolean all = hints.clean() || hints.recoveryPoint() == UNKNOWN;
        long point = all ? end : Math.min(hints.recoveryPoint(), end);
        boolean forced = false;
        for (Segment each : segments) {
            if (each.baseOffset() >= rescannedFrom && each.baseOffset() < point) {
                each.force();
                forced = true;
            }
        }
        if (forced) {
            files.syncDirectory(folder.path());
        }
        return point;
    }

    /**
     * The log start of the checkpoint lies beyond the log's end. After a crash the disk lost records that had been deleted anyway: the
     * log begins anew there. After an orderly end this cannot be, so the checkpoint is damaged and the log counts.
     */
    private long logStartBeyondEnd(List<Segment> segments, long end) throws IOException {
        if (hints.clean()) {
            LOG.warn(
                    "Ignoring a log start offset beyond the log's end: partition={} start={} end={}",
                    parts.partition(),
                    hints.logStart(),
                    end);
            return segments.get(0).baseOffset();
        }
        LOG.warn(
                "The log ends before its start offset, beginning anew: partition={} start={} end={}",
                parts.partition(),
                hints.logStart(),
                end);
        producers.startAt(hints.logStart()); // before the new segment: a snapshot of what was lost must not serve it
        dropFrom(segments, 0);
        segments.add(Segment.create(folder, hints.logStart(), "", config, nowMs));
        epochs.clear();
        return hints.logStart();
    }
}
