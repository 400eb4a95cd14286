package io.barnabas.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InconsistentTopicIdException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logs of all data directories: opens and recovers them, makes and deletes them, and closes them so that the next start is quick.
 * What goes on by itself in the meantime is {@link LogJanitor}'s; moves are {@link LogMover}'s.
 *
 * <p>Threads: any. {@link #changes} orders creations, deletions and swaps.
 */
public final class LogDirectories implements LogManager, LogOwner, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogDirectories.class);

    private final LogEnvironment environment;
    private final BatchValidator validator = new RecordBatchValidator();
    private final List<DiskDirectory> directories;
    private final ConcurrentHashMap<TopicPartition, SegmentedLog> logs = new ConcurrentHashMap<>();
    private final List<Consumer<PartitionLog>> moveListeners = new CopyOnWriteArrayList<>();
    private final Object changes = new Object();
    private final DirectoryWishes wishes = new DirectoryWishes();
    private final LogJanitor janitor;
    private final LogMover mover;
    private volatile LogManagerSettings settings;
    private volatile boolean closed;

    private LogDirectories(LogManagerSettings settings, LogEnvironment environment, List<DiskDirectory> directories) {
        this.settings = settings;
        this.environment = environment;
        this.directories = directories;
        this.janitor = new LogJanitor(this, environment);
        this.mover = new LogMover(this, environment);
    }

    /**
     * Opens the directories and recovers every log in them. A directory that fails is offline from the beginning; the others serve.
     *
     * @throws ForeignDirectoryException if a directory belongs to another broker or is in use
     * @throws IOException if no directory can be used
     */
    public static LogDirectories open(LogManagerSettings settings, LogEnvironment environment) throws IOException {
        List<DiskDirectory> directories = new ArrayList<>();
        IOException last = null;
        try {
            for (Path path : settings.directories()) {
                try {
                    directories.add(openDirectory(path, settings, environment));
                } catch (ForeignDirectoryException e) {
                    throw e;
                } catch (IOException e) {
                    LOG.error("A data directory cannot be opened, going on without it: directory={}", path, e);
                    last = e;
                    directories.add(offline(path, environment, e));
                }
            }
            if (directories.stream().noneMatch(DiskDirectory::online)) {
                throw new IOException("None of the data directories " + settings.directories() + " can be used", last);
            }
            refuseTwins(directories);
            LogDirectories opened = new LogDirectories(settings, environment, List.copyOf(directories));
            opened.load();
            opened.janitor.start();
            return opened;
        } catch (IOException | RuntimeException e) {
            for (DiskDirectory directory : directories) {
                directory.unlock();
            }
            throw e;
        }
    }

    private static DiskDirectory openDirectory(Path path, LogManagerSettings settings, LogEnvironment environment)
            throws IOException {
        FileStore files = environment.files();
        files.createDirectories(path);
        Closeable lock;
        try {
            lock = files.lock(path.resolve(DiskDirectory.LOCK));
        } catch (java.nio.file.FileSystemException e) {
            throw e;
        } catch (IOException e) {
            throw new ForeignDirectoryException(
                    "The data directory " + path + " is in use by another broker (its file .lock is locked)", e);
        }
        try {
            Uuid id = MetaProperties.readOrFormat(files, path, settings).directoryId();
            return new DiskDirectory(
                    files, path, id, lock, environment.threads().forcer(path));
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static DiskDirectory offline(Path path, LogEnvironment environment, IOException cause) {
        DiskDirectory directory = new DiskDirectory(
                environment.files(),
                path,
                Uuid.ZERO_UUID,
                () -> {},
                environment.threads().forcer(path));
        directory.broken("Opening", cause);
        return directory;
    }

    private static void refuseTwins(List<DiskDirectory> directories) throws IOException {
        Set<Uuid> ids = new HashSet<>();
        for (DiskDirectory directory : directories) {
            if (directory.online() && !ids.add(directory.id())) {
                throw new ForeignDirectoryException("Two data directories have the directory.id " + directory.id()
                        + ": one is a copy of the other, " + directory.path() + " among them");
            }
        }
    }

    // ---- loading

    private void load() {
        List<Runnable> tasks = new ArrayList<>();
        for (DiskDirectory directory : directories) {
            if (directory.online()) {
                try {
                    tasks.addAll(loadTasks(directory));
                } catch (IOException e) {
                    directory.broken("Loading", e);
                }
            }
        }
        long before = environment.clock().nanoTime();
        environment.threads().runAll(tasks, Math.max(1, settings.recoveryThreads() * directories.size()));
        mover.settleAfterStart();
        directories.forEach(this::checkpointAfterStart);
        LOG.info(
                "Logs are open: count={} ms={}",
                logs.size(),
                (environment.clock().nanoTime() - before) / 1_000_000);
    }

    /** From now on a log that the checkpoint does not name was never forced (README, "gap"). */
    private void checkpointAfterStart(DiskDirectory directory) {
        try {
            checkpoint(directory);
        } catch (LogStorageException e) {
            LOG.warn("No checkpoint after the start: directory={} error={}", directory.path(), e.toString());
        }
    }

    private List<Runnable> loadTasks(DiskDirectory directory) throws IOException {
        boolean clean = directory.takeCleanShutdown();
        Checkpoints checkpoints = new Checkpoints(
                clean,
                directory.readCheckpoint(DiskDirectory.RECOVERY_POINTS),
                directory.readCheckpoint(DiskDirectory.LOG_STARTS),
                directory.readCheckpoint(DiskDirectory.CLEANER_POINTS));
        List<Runnable> tasks = new ArrayList<>();
        for (Path path : environment.files().list(directory.path())) {
            String name = path.getFileName().toString();
            if (!environment.files().isDirectory(path) || name.endsWith(LogFolder.FOLDER_STRAY)) {
                continue;
            }
            if (name.endsWith(LogFolder.FOLDER_DELETE)) {
                deleteFolderLater(directory, path);
                continue;
            }
            LogFolder.partitionOf(name).ifPresent(partition -> {
                LogRecovery.Hints hints = checkpoints.of(partition, name.endsWith(LogFolder.FOLDER_FUTURE));
                tasks.add(() -> load(directory, path, partition, hints));
            });
        }
        return tasks;
    }

    private record Checkpoints(
            boolean clean,
            DiskDirectory.Checkpoint recoveryPoints,
            DiskDirectory.Checkpoint logStarts,
            DiskDirectory.Checkpoint cleaned) {

        /** A log that a whole checkpoint does not name is younger than that and was never forced; a future log is never named. */
        LogRecovery.Hints of(TopicPartition partition, boolean future) {
            long unnamed = recoveryPoints.whole() && !future ? 0 : LogRecovery.UNKNOWN;
            return new LogRecovery.Hints(
                    clean,
                    recoveryPoints.offsets().getOrDefault(partition, unnamed),
                    logStarts.offsets().getOrDefault(partition, 0L),
                    cleaned.offsets().getOrDefault(partition, -1L));
        }
    }

    private void load(DiskDirectory directory, Path path, TopicPartition partition, LogRecovery.Hints hints) {
        try {
            LogFolder folder = new LogFolder(environment.files(), path);
            SegmentedLog log = load(
                    parts(partition, PartitionMetadata.read(folder), folder, directory), hints, settings.defaults());
            if (path.getFileName().toString().endsWith(LogFolder.FOLDER_FUTURE)) {
                mover.found(log);
            } else {
                SegmentedLog twin = logs.putIfAbsent(partition, log);
                if (twin != null) {
                    LOG.error(
                            "A log is in two data directories, taking the first: partition={} first={} second={}",
                            partition,
                            twin.folder().path(),
                            path);
                }
            }
        } catch (IOException e) {
            directory.broken("Loading " + partition, e);
        }
    }

    private SegmentedLog load(SegmentedLog.LogParts parts, LogRecovery.Hints hints, LogConfig config)
            throws IOException {
        SegmentedLog.Loaded loaded = new LogRecovery(parts, config, hints, settings.producerIdExpirationMs()).load();
        return new SegmentedLog(parts, config, loaded);
    }

    private SegmentedLog.LogParts parts(
            TopicPartition partition, Uuid topicId, LogFolder folder, DiskDirectory directory) {
        return new SegmentedLog.LogParts(partition, topicId, folder, directory, environment, validator, this);
    }

    // ---- the manager's face

    @Override
    public List<DataDirectory> directories() {
        return List.copyOf(directories);
    }

    List<DiskDirectory> disks() {
        return directories;
    }

    LogManagerSettings settings() {
        return settings;
    }

    @Override
    public Collection<PartitionLog> logs() {
        return java.util.Collections.unmodifiableCollection(logs.values());
    }

    Collection<SegmentedLog> segmentedLogs() {
        return logs.values();
    }

    @Override
    public Optional<PartitionLog> log(TopicPartition partition) {
        return Optional.ofNullable(logs.get(partition));
    }

    @Override
    public PartitionLog openOrCreate(
            TopicPartition partition, Uuid topicId, LogConfig config, @Nullable DataDirectory directory)
            throws IOException {
        synchronized (changes) {
            requireOpen();
            SegmentedLog present = logs.get(partition);
            if (present == null) {
                present = create(partition, topicId, config, placeOf(partition, directory), false);
                logs.put(partition, present);
            } else if (!present.topicId().equals(topicId) && !Uuid.ZERO_UUID.equals(present.topicId())) {
                throw new InconsistentTopicIdException("The log of " + partition + " belongs to the topic with id "
                        + present.topicId() + ", not " + topicId);
            } else if (!present.topicId().equals(topicId) && !Uuid.ZERO_UUID.equals(topicId)) {
                present.adopt(topicId);
            }
            present.reconfigure(config);
            return present;
        }
    }

    SegmentedLog create(
            TopicPartition partition, Uuid topicId, LogConfig config, DiskDirectory directory, boolean future) {
        directory.requireOnline();
        FileStore files = environment.files();
        String name = future ? LogFolder.nameWith(partition, LogFolder.FOLDER_FUTURE) : LogFolder.name(partition);
        LogFolder folder = new LogFolder(files, directory.path().resolve(name));
        try {
            files.createDirectories(folder.path());
            if (!Uuid.ZERO_UUID.equals(topicId)) {
                PartitionMetadata.write(folder, topicId);
            }
            SegmentedLog log =
                    load(parts(partition, topicId, folder, directory), new LogRecovery.Hints(true, 0, 0, -1), config);
            log.reconfigure(config);
            return log;
        } catch (IOException e) {
            throw directory.failed("Making the log of " + partition, e);
        }
    }

    private DiskDirectory placeOf(TopicPartition partition, @Nullable DataDirectory named) {
        @Nullable DiskDirectory wished = wishes.take(partition);
        if (named != null) {
            return mine(named);
        }
        return wished != null && wished.online() ? wished : emptiest();
    }

    private DiskDirectory emptiest() {
        DiskDirectory best = null;
        long fewest = Long.MAX_VALUE;
        for (DiskDirectory each : directories) {
            long held = logs.values().stream().filter(log -> log.disk() == each).count();
            if (each.online() && held < fewest) {
                fewest = held;
                best = each;
            }
        }
        if (best == null) {
            throw new LogStorageException("Every data directory is offline");
        }
        return best;
    }

    DiskDirectory mine(DataDirectory directory) {
        for (DiskDirectory each : directories) {
            if (each == directory || each.path().equals(directory.path())) {
                return each;
            }
        }
        throw new LogStorageException("The directory " + directory.path() + " is not one of log.dirs");
    }

    @Override
    public void delete(TopicPartition partition) {
        synchronized (changes) {
            mover.cancel(partition);
            SegmentedLog log = logs.remove(partition);
            if (log != null) {
                discard(log);
            }
        }
    }

    /** Takes a log's folder away: at once out of sight, after file.delete.delay.ms from the disk. */
    void discard(SegmentedLog log) {
        log.retire();
        DiskDirectory directory = log.disk();
        janitor.compactor().onDeleted(log.topicPartition(), directory);
        if (!directory.online()) {
            return;
        }
        try {
            log.folder().rename(LogFolder.nameWith(log.topicPartition(), LogFolder.FOLDER_DELETE));
        } catch (IOException e) {
            throw directory.failed("Deleting the log of " + log.topicPartition(), e);
        }
        later(log.config().fileDeleteDelayMs(), () -> {
            log.closeFiles();
            deleteFolder(directory, log.folder().path());
        });
    }

    private void deleteFolderLater(DiskDirectory directory, Path folder) {
        later(settings.defaults().fileDeleteDelayMs(), () -> deleteFolder(directory, folder));
    }

    private void deleteFolder(DiskDirectory directory, Path folder) {
        try {
            if (directory.online()) {
                environment.files().deleteTree(folder);
            }
        } catch (IOException e) {
            LOG.warn(
                    "Deleting a log's folder failed; the next start tries again: folder={} error={}",
                    folder,
                    e.toString());
        }
    }

    @Override
    public void prefer(TopicPartition partition, DataDirectory directory) {
        synchronized (changes) {
            wishes.put(partition, mine(directory));
        }
    }

    @Override
    public CompletableFuture<PartitionLog> move(TopicPartition partition, DataDirectory target) {
        if (!LogManager.isMovable(partition)) {
            throw new InvalidTopicException("The name of " + partition + " is too long for a move");
        }
        synchronized (changes) {
            requireOpen();
            SegmentedLog log = logs.get(partition);
            if (log == null) {
                return CompletableFuture.failedFuture(
                        new org.apache.kafka.common.errors.UnknownTopicOrPartitionException("No log of " + partition));
            }
            return mover.move(log, mine(target));
        }
    }

    @Override
    public Collection<PartitionLog> futureLogs() {
        return mover.futureLogs();
    }

    /** The future log has caught up: it takes the place of the present one. The caller holds the present log's lock. */
    void swap(SegmentedLog present, SegmentedLog future) throws IOException {
        logs.put(present.topicPartition(), future);
        try {
            checkpoint(future.disk()); // before it bears the name: unnamed there, its gaps would count as losses
        } catch (LogStorageException e) {
            logs.put(present.topicPartition(), present);
            throw e;
        }
        discard(present);
        future.folder().rename(LogFolder.name(future.topicPartition()));
    }

    void announceMoved(SegmentedLog log) {
        moveListeners.forEach(listener -> listener.accept(log));
    }

    void adopt(SegmentedLog log) {
        logs.put(log.topicPartition(), log);
    }

    Object changes() {
        return changes;
    }

    @Override
    public Map<TopicPartition, String> uncleanable() {
        return janitor.compactor().uncleanable();
    }

    @Override
    public void onDirectoryFailure(Consumer<DataDirectory> listener) {
        for (DiskDirectory directory : directories) {
            directory.onFailure(listener);
            if (!directory.online()) {
                listener.accept(directory);
            }
        }
    }

    @Override
    public void onMoved(Consumer<PartitionLog> listener) {
        moveListeners.add(listener);
    }

    @Override
    public void reconfigure(LogManagerSettings newSettings) {
        settings = newSettings;
    }

    // ---- LogOwner

    @Override
    public void checkpoint(DiskDirectory directory) {
        directory.checkpoint(logs.values());
    }

    @Override
    public void later(long delayMs, Runnable task) {
        environment.ticker().after(delayMs, () -> {
            if (!closed) {
                environment.threads().worker().execute(task);
            }
        });
    }

    @Override
    public void truncated(SegmentedLog log, long offset) {
        janitor.compactor().onTruncated(log.topicPartition(), log.disk(), offset);
    }

    private void requireOpen() {
        if (closed) {
            throw new LogStorageException("The logs are closed");
        }
    }

    /** Forces and closes every log and leaves the clean-shutdown mark in each directory where all went well. */
    @Override
    public void close() throws IOException {
        synchronized (changes) {
            if (closed) {
                return;
            }
            closed = true;
        }
        janitor.stop();
        mover.stop();
        environment.threads().close();
        Set<DiskDirectory> unclean = ConcurrentHashMap.newKeySet();
        List<Runnable> tasks = new ArrayList<>();
        for (SegmentedLog log : logs.values()) {
            tasks.add(() -> {
                try {
                    log.close();
                } catch (RuntimeException e) {
                    LOG.warn("Closing a log failed: partition={} error={}", log.topicPartition(), e.toString());
                    unclean.add(log.disk());
                }
            });
        }
        environment.threads().runAll(tasks, Math.max(1, settings.recoveryThreads() * directories.size()));
        for (DiskDirectory directory : directories) {
            finish(directory, !unclean.contains(directory));
        }
    }

    /** Ends without a word, as a killed process does: for tests of crashes. */
    void abandon() {
        closed = true;
        janitor.stop();
        for (SegmentedLog log : logs.values()) {
            log.retire();
            log.closeFiles();
        }
        for (DiskDirectory directory : directories) {
            try {
                directory.unlock();
            } catch (IOException e) {
                LOG.debug("Lock not given back: directory={}", directory.path(), e);
            }
        }
    }

    private void finish(DiskDirectory directory, boolean clean) throws IOException {
        try {
            if (directory.online()) {
                checkpoint(directory);
                if (clean) {
                    directory.writeCleanShutdown();
                }
            }
        } catch (LogStorageException e) {
            LOG.warn("No clean-shutdown mark: directory={} error={}", directory.path(), e.toString());
        } finally {
            directory.unlock();
        }
    }
}
