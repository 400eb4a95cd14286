package io.barnabas.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data directory: its identity, its checkpoint files, its fate. The first I/O error that is not mere lack of room takes it offline
 * until the next start; its logs answer with {@link LogStorageException} from then on, those of other directories go on.
 *
 * <p>Threads: any.
 */
final class DiskDirectory implements DataDirectory {
    static final String RECOVERY_POINTS = "recovery-point-offset-checkpoint";
    static final String LOG_STARTS = "log-start-offset-checkpoint";
    static final String HIGH_WATERMARKS = "replication-offset-checkpoint";
    static final String CLEANER_POINTS = "cleaner-offset-checkpoint";
    static final String CLEAN_SHUTDOWN = ".kafka_cleanshutdown";
    static final String LOCK = ".lock";
    private static final Logger LOG = LoggerFactory.getLogger(DiskDirectory.class);
    private static final long ROOM_MIN = 1 << 20;
    private static final long NO_EPOCH = -1;
    private static final Pattern EPOCH_IN_MARK = Pattern.compile("\"brokerEpoch\"\\s*:\\s*(\\d{1,18})\\s*[,}]");
    private static final long ROOM_AGAIN = 4 * ROOM_MIN;
    private static final String TRIAL = ".writable";

    private final FileStore files;
    private final Path path;
    private final Uuid id;
    private final Closeable lock;
    private final GroupCommit commits;
    private final List<Consumer<DataDirectory>> listeners = new CopyOnWriteArrayList<>();
    private final Object checkpointLock = new Object();
    private volatile boolean online = true;
    private volatile boolean refused;
    private volatile boolean cordoned;
    private volatile long keptFree;
    private volatile @Nullable Set<TopicPartition>
            named; // by the checkpoint on the disk; null before this process wrote it
    private volatile long cleanShutdownEpoch = NO_EPOCH;
    private volatile LongSupplier brokerEpoch = () -> NO_EPOCH;
    private Map<TopicPartition, Long> highWatermarks = Map.of(); // as on the disk; guarded by checkpointLock

    DiskDirectory(FileStore files, Path path, Uuid id, Closeable lock, Executor forcer) {
        this.files = files;
        this.path = path;
        this.id = id;
        this.lock = lock;
        this.commits = new GroupCommit(this, forcer);
    }

    @Override
    public Uuid id() {
        return id;
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public boolean online() {
        return online;
    }

    @Override
    public boolean cordoned() {
        return cordoned;
    }

    void cordon(boolean on) {
        cordoned = on;
    }

    @Override
    public long totalBytes() {
        return spaceOrUnknown(true);
    }

    @Override
    public long usableBytes() {
        return spaceOrUnknown(false);
    }

    private long spaceOrUnknown(boolean total) {
        try {
            return total ? files.totalBytes(path) : files.usableBytes(path);
        } catch (IOException e) {
            return -1;
        }
    }

    FileStore files() {
        return files;
    }

    GroupCommit commits() {
        return commits;
    }

    void onFailure(Consumer<DataDirectory> listener) {
        listeners.add(listener);
    }

    void requireOnline() {
        if (!online) {
            throw new LogStorageException("The data directory " + path + " is offline");
        }
    }

    /** Judges an I/O error other than that of a force: lack of room fails the caller only. Returns what the caller throws. */
    LogStorageException failed(String what, IOException cause) {
        if (cause instanceof DamagedSegmentException) { // the disk answers
            return new LogStorageException(what + " met damage in " + path + ": " + cause.getMessage(), cause);
        }
        if (IoFailures.isTransient(cause) || isFull(cause)) {
            LOG.warn(
                    "{} failed for want of room or by an interrupt: directory={} error={}",
                    what,
                    path,
                    cause.toString());
            refused |= !(cause instanceof ClosedByInterruptException) && !(cause instanceof ClosedChannelException);
            return new LogStorageException(what + " failed in " + path + ": " + cause.getMessage(), cause);
        }
        return broken(what, cause);
    }

    /**
     * Judges an I/O error of a force. After one that had no file left to open nothing is unknown, and what it left undone is forced the next
     * time; after any other the disk is not to be trusted.
     */
    LogStorageException forceFailed(String what, IOException cause) {
        return IoFailures.isWantOfFiles(cause) ? failed(what, cause) : broken(what, cause);
    }

    /** Tries, where a write was refused before. */
    @Override
    public boolean writable() {
        if (refused && usableBytes() >= ROOM_AGAIN + keptFree) {
            try {
                files.write(path.resolve(TRIAL), new byte[1], false);
                files.deleteIfExists(path.resolve(TRIAL));
                refused = false;
                LOG.info("A data directory can be written again: directory={}", path);
            } catch (IOException e) {
                LOG.debug("Still not writable: directory={}", path, e);
            }
        }
        return !refused;
    }

    @Override
    public void keepFree(long bytes) {
        keptFree = bytes;
    }

    /** @throws IOException if a write would take what is kept free */
    void requireRoom(int bytes) throws IOException {
        long kept = keptFree;
        long usable = kept > 0 ? usableBytes() : -1;
        if (usable >= 0 && usable < kept + bytes) {
            throw new IOException("No space left on device, but what is kept free");
        }
    }

    private boolean isFull(IOException cause) {
        long usable = usableBytes();
        return !(cause instanceof SegmentFile.PartialWriteException) && usable >= 0 && usable < ROOM_MIN;
    }

    /** The marked end was not an orderly one for all that: records are missing. Who has none of them must not lead for it (KIP-966). */
    void unmark() {
        cleanShutdownEpoch = NO_EPOCH;
    }

    /** An error after which the disk is not to be trusted. */
    LogStorageException broken(String what, IOException cause) {
        takeOffline(what, cause);
        return new LogStorageException(what + " failed, the data directory " + path + " is offline: " + cause, cause);
    }

    private void takeOffline(String what, IOException cause) {
        synchronized (checkpointLock) {
            if (!online) {
                return;
            }
            online = false;
        }
        LOG.error(
                "A data directory failed and is offline until the next start: directory={} during={}",
                path,
                what,
                cause);
        listeners.forEach(listener -> listener.accept(this));
    }

    /** A log has left for another directory, and shall not be here again after a loss of power. */
    void syncLeft(TopicPartition partition) {
        try {
            requireOnline();
            files.syncDirectory(path);
        } catch (IOException e) {
            broken("Leaving by " + partition, e);
        } catch (LogStorageException e) {
            LOG.warn("A log left a failed directory: directory={}", path);
        }
    }

    // ---- checkpoints

    /**
     * What a checkpoint file says.
     *
     * @param whole false if the file is damaged or missing, which recovery must be content with
     */
    record Checkpoint(Map<TopicPartition, Long> offsets, boolean whole) {}

    Checkpoint readCheckpoint(String name) throws IOException {
        Path file = path.resolve(name);
        if (!files.exists(file)) {
            return new Checkpoint(Map.of(), false);
        }
        var lines = CheckpointText.decode(files.readAll(file), 0, 3);
        if (lines.isEmpty()) {
            LOG.warn("Ignoring a damaged checkpoint file: file={}", file);
            return new Checkpoint(Map.of(), false);
        }
        boolean whole = true;
        Map<TopicPartition, Long> offsets = new HashMap<>();
        for (String[] fields : lines.get()) {
            try {
                offsets.put(new TopicPartition(fields[0], Integer.parseInt(fields[1])), Long.parseLong(fields[2]));
            } catch (NumberFormatException e) {
                LOG.warn("Ignoring a damaged checkpoint entry: file={} topic={}", file, fields[0]);
                whole = false;
            }
        }
        boolean negative = offsets.values().removeIf(offset -> offset < 0);
        return new Checkpoint(offsets, whole && !negative);
    }

    /**
     * Writes recovery points and log start offsets of these logs. They are asked under the lock, so that no older answer is written over
     * a newer one.
     */
    void checkpoint(Iterable<SegmentedLog> logs) {
        try {
            synchronized (checkpointLock) {
                if (online) {
                    writeCheckpoints(logs);
                }
            }
        } catch (IOException e) {
            throw failed("Writing a checkpoint", e);
        }
    }

    /** False if the recovery points on the disk are whole and say nothing of the partition; where that is not known, true. */
    boolean mayName(TopicPartition partition) {
        @Nullable Set<TopicPartition> known = named;
        return known == null || known.contains(partition);
    }

    private void writeCheckpoints(Iterable<SegmentedLog> logs) throws IOException {
        Map<SegmentedLog, Long> points = new LinkedHashMap<>();
        Map<SegmentedLog, Long> starts = new HashMap<>();
        Map<TopicPartition, Long> recoveryPoints = new HashMap<>();
        Map<TopicPartition, Long> logStarts = new HashMap<>();
        for (SegmentedLog log : logs) {
            if (log.disk() == this) {
                long point = log.recoveryPointToWrite();
                points.put(log, point);
                recoveryPoints.put(log.topicPartition(), point);
                // also where it is a segment's base: a power loss may bring back deleted segments before it
                long start = log.logStartToWrite();
                starts.put(log, start);
                if (start > 0) {
                    logStarts.put(log.topicPartition(), start);
                }
            }
        }
        writeCheckpoint(RECOVERY_POINTS, recoveryPoints);
        named = Set.copyOf(recoveryPoints.keySet());
        writeCheckpoint(LOG_STARTS, logStarts);
        points.forEach((log, point) -> log.onCheckpointed(point, starts.getOrDefault(log, 0L)));
    }

    /** The high watermarks as they were last written, by an earlier process. */
    Map<TopicPartition, Long> readHighWatermarks() throws IOException {
        synchronized (checkpointLock) {
            highWatermarks = readCheckpoint(HIGH_WATERMARKS).offsets();
            return highWatermarks;
        }
    }

    /** A log is about to be made: what the disk says of an earlier one of that name goes. */
    void forgetHighWatermark(TopicPartition partition, Iterable<SegmentedLog> logs) {
        boolean named;
        synchronized (checkpointLock) {
            named = highWatermarks.containsKey(partition);
        }
        if (named) {
            writeHighWatermarks(logs);
        }
    }

    /** Writes them. If that fails it is tried again the next time. */
    void checkpointHighWatermarks(Iterable<SegmentedLog> logs) {
        try {
            writeHighWatermarks(logs);
        } catch (LogStorageException e) {
            LOG.warn("High watermarks not written: directory={} error={}", path, e.toString());
        }
    }

    /** Writes the high watermarks of these logs, unless the disk has them so. Below them records are shown at once after a restart. */
    void writeHighWatermarks(Iterable<SegmentedLog> logs) {
        try {
            synchronized (checkpointLock) {
                Map<TopicPartition, Long> now = new HashMap<>();
                for (SegmentedLog log : logs) {
                    if (log.disk() == this) {
                        now.put(log.topicPartition(), log.highWatermarkToWrite());
                    }
                }
                if (online && !now.equals(highWatermarks)) {
                    writeCheckpoint(HIGH_WATERMARKS, now);
                    highWatermarks = now;
                }
            }
        } catch (IOException e) {
            throw failed("Writing the high watermarks", e);
        }
    }

    /** Either the old or the new content is there after a crash. */
    private void writeCheckpoint(String name, Map<TopicPartition, Long> offsets) throws IOException {
        List<String> lines = offsets.entrySet().stream()
                .map(e -> e.getKey().topic() + " " + e.getKey().partition() + " " + e.getValue())
                .toList();
        files.replace(path.resolve(name), CheckpointText.encode(0, lines));
    }

    /** Marks an orderly end: every file is forced. Written last. */
    void writeCleanShutdown() throws IOException {
        String mark = "{\"version\":0,\"brokerEpoch\":" + brokerEpoch.getAsLong() + "}";
        files.write(path.resolve(CLEAN_SHUTDOWN), mark.getBytes(StandardCharsets.UTF_8), true);
        files.syncDirectory(path);
    }

    @Override
    public void markWith(LongSupplier epoch) {
        brokerEpoch = epoch;
    }

    @Override
    public long cleanShutdownEpoch() {
        return cleanShutdownEpoch;
    }

    /** Whether the last end was an orderly one; asks once, the mark is deleted. */
    boolean takeCleanShutdown() throws IOException {
        Path mark = path.resolve(CLEAN_SHUTDOWN);
        if (!files.exists(mark)) {
            return false;
        }
        long epoch = epochIn(files.readAll(mark));
        files.deleteIfExists(mark);
        files.syncDirectory(path);
        cleanShutdownEpoch = epoch;
        return true;
    }

    private static long epochIn(byte[] mark) {
        Matcher found = EPOCH_IN_MARK.matcher(new String(mark, StandardCharsets.UTF_8));
        return found.find() ? Long.parseLong(found.group(1)) : NO_EPOCH;
    }

    void unlock() throws IOException {
        lock.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
