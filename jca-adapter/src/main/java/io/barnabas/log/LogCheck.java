package io.barnabas.log;

import io.barnabas.time.Ticker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for damage, once after the start, in what the start found and did not read itself: a disk may flip bits at rest or lose the end of
 * a file, and what nobody reads nobody misses until it is needed. Every batch is read, its CRC checked, its header held against those
 * before it and the log's epochs; and where segments do not join, whether an end was cut off. The newest segment of each log first, then
 * the others backwards; no faster than {@code barnabas.log.check.max.bytes.per.second}, through one thread's chunk.
 *
 * <p>What comes in between makes no damage: a segment is read as far as it is published, and what seems wrong counts only if the segment
 * is still one of the log's and nothing was truncated meanwhile.
 *
 * <p>Thread: the checker's.
 */
final class LogCheck {
    private static final Logger LOG = LoggerFactory.getLogger(LogCheck.class);
    /** The start has the disk to itself for so long. */
    static final long DELAY_MS = 5_000;

    private static final int ATTEMPTS = 5;

    private final LogDirectories directories;
    private final LogEnvironment environment;
    private final CleanerPace pace;
    private final Set<SegmentedLog> due = ConcurrentHashMap.newKeySet();
    private volatile Ticker.@Nullable Timeout waiting;
    private long bytes; // by the checker's thread

    LogCheck(LogDirectories directories, LogEnvironment environment) {
        this.directories = directories;
        this.environment = environment;
        this.pace = new CleanerPace(
                environment.clock(),
                environment.threads(),
                () -> Math.max(1, directories.settings().checkBytesPerSecond()));
    }

    /** The logs are open, nothing is appended yet. */
    void start() {
        if (directories.settings().checkBytesPerSecond() <= 0) {
            return;
        }
        List<Found> found = new ArrayList<>();
        for (SegmentedLog log : directories.segmentedLogs()) {
            found.add(new Found(log));
            due.add(log);
        }
        waiting = environment
                .ticker()
                .after(DELAY_MS, () -> environment.threads().checker().execute(() -> check(found)));
    }

    void stop() {
        pace.stop();
        Ticker.Timeout timeout = waiting;
        if (timeout != null) {
            timeout.cancel();
        }
    }

    /** Whether the log is yet to be checked: what compaction rewrites no longer tells that an end is missing. */
    boolean isDue(SegmentedLog log) {
        return due.contains(log);
    }

    private void check(List<Found> found) {
        long began = environment.clock().monotonicMillis();
        try {
            found.forEach(Found::checkNewest);
            found.stream().sorted(Comparator.comparing(Found::isPatient)).forEach(Found::checkOthers);
        } finally {
            due.clear();
        }
        if (!pace.stopped()) {
            LOG.info(
                    "Logs were checked for damage: count={} bytes={} ms={}",
                    found.size(),
                    bytes,
                    environment.clock().monotonicMillis() - began);
        }
    }

    /** What the start found of one log. */
    private final class Found {
        private final SegmentedLog log;
        private final Segment[] segments;
        private final int newestSize;
        private final Map<Segment, Long> ends =
                new HashMap<>(); // of those that are whole: the offset after the last record
        private boolean gaps; // within segments: the log was compacted
        private boolean damaged;

        Found(SegmentedLog log) {
            LogView view = log.view();
            this.log = log;
            this.segments = view.segments();
            this.newestSize = view.endPosition();
        }

        /** No compaction waits for it. */
        boolean isPatient() {
            return !log.config().compact();
        }

        void checkNewest() {
            check(segments.length - 1);
        }

        void checkOthers() {
            for (int i = segments.length - 2; i >= 0; i--) {
                check(i);
            }
            for (int i = 0; i < segments.length - 1 && !damaged; i++) {
                checkJoint(segments[i], segments[i + 1]);
            }
            ends.clear();
            due.remove(log);
        }

        private void check(int index) {
            Segment segment = segments[index];
            if (segment.baseOffset() >= log.checkedFrom()) {
                return;
            }
            for (int attempt = 0; attempt < ATTEMPTS && !damaged && !pace.stopped(); attempt++) {
                int truncations = log.truncations();
                LogView view = log.view();
                int at = List.of(view.segments()).indexOf(segment);
                if (at < 0 || !isServed()) {
                    return;
                }
                int limit = view.limitOf(at);
                String fault = read(segment, index == segments.length - 1 ? Math.min(newestSize, limit) : limit, limit);
                if (fault == null) {
                    return;
                }
                if (truncations == log.truncations() && stands(segment)) {
                    tell(fault);
                }
            }
        }

        private boolean isServed() {
            return !log.closed() && log.disk().online();
        }

        private boolean stands(Segment segment) {
            return isServed() && List.of(log.view().segments()).contains(segment);
        }

        private void tell(String fault) {
            damaged = true;
            directories.damaged(log, fault);
        }

        /** Reads batches that begin before {@code until}; says what is wrong, if anything. */
        private @Nullable String read(Segment segment, int until, int limit) {
            BatchCursor cursor = BatchCursor.scan(segment.file(), 0, limit);
            long next = segment.baseOffset();
            try {
                while (cursor.position() + cursor.size() < until && cursor.next()) {
                    String fault = LogRecovery.faultOf(cursor, next, segment.baseOffset());
                    fault = fault == null ? faultOfEpoch(cursor) : fault;
                    if (fault != null) {
                        return segment.file().name() + " at " + cursor.position() + " of " + limit + ", offset " + next
                                + " or behind: " + fault;
                    }
                    gaps |= next > segment.baseOffset() && cursor.baseOffset() > next;
                    next = cursor.lastOffset() + 1;
                    bytes += cursor.size();
                    pace.spent(cursor.size());
                    if (pace.stopped()) {
                        return null;
                    }
                }
                idle(segment);
            } catch (IOException e) {
                LOG.debug("Not checked: segment={}", segment, e);
                return IoFailures.isTransient(e)
                        ? null
                        : segment.file().name() + " after offset " + (next - 1) + " cannot be read: " + e;
            }
            if (cursor.fault() != null) {
                return segment.file().name() + " at " + cursor.position() + " of " + limit + ", offset " + next
                        + " or behind: " + cursor.fault();
            }
            ends.put(segment, next);
            return null;
        }

        /** Of thousands of files that nobody else reads none stays open. */
        private void idle(Segment segment) throws IOException {
            if (segment != segments[segments.length - 1]) {
                segment.idle();
            }
        }

        /** The epoch of a batch lies outside its CRC. */
        private @Nullable String faultOfEpoch(BatchCursor cursor) {
            int epoch = BatchHeader.leaderEpoch(cursor.header(), cursor.at());
            OptionalInt known = log.epochAt(cursor.baseOffset());
            return epoch < 0 || known.isEmpty() || known.getAsInt() == epoch
                    ? null
                    : "leader epoch " + epoch + " instead of " + known.getAsInt();
        }

        private static boolean namesWhatIsBeyond(Segment segment, long end) throws IOException {
            OffsetIndex.Entry place = segment.offsets().last();
            TimeIndex.Entry time = segment.times().last();
            return (place.position() > 0 && place.offset() >= end) || (time.timestamp() >= 0 && time.offset() >= end);
        }

        /** Where one segment ends before the next begins, compaction took records, or the disk did. */
        private void checkJoint(Segment before, Segment after) {
            Long end = ends.get(before);
            if (end == null || end == after.baseOffset()) {
                return;
            }
            try {
                boolean cut = end > after.baseOffset()
                        || (log.configured() && !log.config().compact() && !gaps)
                        || namesWhatIsBeyond(before, end);
                if (cut && stands(before) && stands(after)) {
                    tell(before.file().name() + " ends at " + before.size() + " before offset " + end
                            + ", and the next begins at " + after.baseOffset());
                }
            } catch (IOException e) {
                LOG.debug("Not checked: segment={}", before, e);
            }
        }
    }
}
