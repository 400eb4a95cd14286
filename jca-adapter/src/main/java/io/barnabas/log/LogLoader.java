package io.barnabas.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the data directories and makes logs of the folders in them, found or new. Before {@link LogDirectories}, which has them all;
 * after it {@link LogRecovery}, which brings one folder in order.
 *
 * <p>Threads: the start's, and those that recover; {@link #create} is called under the manager's lock of changes.
 */
final class LogLoader {
    private static final Logger LOG = LoggerFactory.getLogger(LogLoader.class);

    private static final int LOCK_ATTEMPTS = 20;
    private static final long LOCK_REST_MS = 50;

    private final LogDirectories manager;
    private final LogMover mover;
    private final LogEnvironment environment;
    private final BatchValidator validator = new RecordBatchValidator();

    LogLoader(LogDirectories manager, LogMover mover, LogEnvironment environment) {
        this.manager = manager;
        this.mover = mover;
        this.environment = environment;
    }

    // ---- directories

    /**
     * Opens and locks the directories. One that fails is offline from the beginning; the others serve.
     *
     * @throws ForeignDirectoryException if a directory belongs to another broker or is in use
     * @throws IOException if no directory can be used
     */
    static List<DiskDirectory> openDirectories(LogManagerSettings settings, LogEnvironment environment)
            throws IOException {
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
            return List.copyOf(directories);
        } catch (IOException | RuntimeException e) {
            unlock(directories);
            throw e;
        }
    }

    /** Gives back every lock, whatever happens at one of them. */
    static void unlock(Iterable<DiskDirectory> directories) {
        for (DiskDirectory directory : directories) {
            try {
                directory.unlock();
            } catch (IOException e) {
                LOG.warn("Lock not given back: directory={} error={}", directory.path(), e.toString());
            }
        }
    }

    private static DiskDirectory openDirectory(Path path, LogManagerSettings settings, LogEnvironment environment)
            throws IOException {
        FileStore files = environment.files();
        files.createDirectories(path);
        Closeable lock;
        try {
            lock = lock(path, environment);
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

    /** Who only looks whether the directory is in use, holds the lock for a moment. */
    private static Closeable lock(Path path, LogEnvironment environment) throws IOException {
        for (int attempt = 1; true; attempt++) {
            try {
                return environment.files().lock(path.resolve(DiskDirectory.LOCK));
            } catch (java.nio.file.FileSystemException e) {
                throw e;
            } catch (IOException e) {
                if (attempt == LOCK_ATTEMPTS) {
                    throw e;
                }
                environment.threads().rest(LOCK_REST_MS);
            }
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

    // ---- logs

    /** What is to be done to have the logs of a directory, each task on any thread. */
    List<Runnable> tasks(DiskDirectory directory) throws IOException {
        boolean clean = directory.takeCleanShutdown();
        Checkpoints checkpoints = new Checkpoints(
                clean,
                directory.readCheckpoint(DiskDirectory.RECOVERY_POINTS),
                directory.readCheckpoint(DiskDirectory.LOG_STARTS),
                directory.readCheckpoint(DiskDirectory.CLEANER_POINTS));
        Map<TopicPartition, Long> highWatermarks = directory.readHighWatermarks();
        List<Runnable> tasks = new ArrayList<>();
        for (Path path : environment.files().list(directory.path())) {
            String name = path.getFileName().toString();
            if (!environment.files().isDirectory(path) || name.endsWith(LogFolder.FOLDER_STRAY)) {
                continue;
            }
            if (name.endsWith(LogFolder.FOLDER_DELETE)) {
                manager.removal().deleteLater(directory, path);
                continue;
            }
            if (name.endsWith(LogFolder.FOLDER_MOVED)) {
                tasks.add(() -> manager.movedLogs().found(directory, path));
                continue;
            }
            LogFolder.partitionOf(name).ifPresent(partition -> {
                LogRecovery.Hints hints = checkpoints.of(partition);
                long committed = highWatermarks.getOrDefault(partition, 0L);
                tasks.add(() -> load(directory, path, partition, hints, committed));
            });
        }
        LOG.info("Loading logs: directory={} count={} afterCleanShutdown={}", directory.path(), tasks.size(), clean);
        return tasks;
    }

    private record Checkpoints(
            boolean clean,
            DiskDirectory.Checkpoint recoveryPoints,
            DiskDirectory.Checkpoint logStarts,
            DiskDirectory.Checkpoint cleaned) {

        /** A log that a whole checkpoint does not name is younger than that and was never forced. */
        LogRecovery.Hints of(TopicPartition partition) {
            long unnamed = recoveryPoints.whole() ? 0 : LogRecovery.UNKNOWN;
            return new LogRecovery.Hints(
                    clean,
                    recoveryPoints.offsets().getOrDefault(partition, unnamed),
                    logStarts.offsets().getOrDefault(partition, 0L),
                    cleaned.offsets().getOrDefault(partition, -1L));
        }
    }

    private void load(
            DiskDirectory directory, Path path, TopicPartition partition, LogRecovery.Hints hints, long committed) {
        try {
            LogFolder folder = new LogFolder(environment.files(), path);
            SegmentedLog log = load(
                    parts(partition, PartitionMetadata.read(folder), folder, directory),
                    hints,
                    manager.settings().defaults());
            if (folder.isFuture()) {
                mover.found(log, hints.clean() || hints.recoveryPoint() != LogRecovery.UNKNOWN);
            } else {
                log.onHighWatermark(Math.min(committed, log.logEndOffset()));
                manager.found(log);
            }
        } catch (IOException e) {
            directory.broken("Loading " + partition, e);
        }
    }

    private SegmentedLog load(SegmentedLog.LogParts parts, LogRecovery.Hints hints, LogConfig config)
            throws IOException {
        SegmentedLog.Loaded loaded = new LogRecovery(parts, config, hints, this::producerExpirationMs).load();
        SegmentedLog log = new SegmentedLog(parts, config, loaded);
        if (hints.clean() && loaded.findings().cut()) {
            parts.directory().unmark();
        }
        String damage = loaded.findings().damage();
        if (damage != null) {
            manager.damaged(log, damage);
        }
        return log;
    }

    private int producerExpirationMs() {
        return manager.settings().producerIdExpirationMs();
    }

    private SegmentedLog.LogParts parts(
            TopicPartition partition, Uuid topicId, LogFolder folder, DiskDirectory directory) {
        return new SegmentedLog.LogParts(partition, topicId, folder, directory, environment, validator, manager);
    }

    /**
     * A folder of that name is of a log that could not be deleted, or of one that could not be made, perhaps another topic's: its records
     * must not come back as those of the new log. They are set aside and left to the administrator.
     */
    private void makeRoom(TopicPartition partition, LogFolder folder, DiskDirectory directory) throws IOException {
        FileStore files = environment.files();
        if (!files.exists(folder.path())) {
            return;
        }
        for (Path file : files.list(folder.path())) {
            if (file.toString().endsWith(LogFolder.LOG) && files.size(file) > 0) {
                LogFolder old = new LogFolder(files, folder.path());
                old.rename(manager.removal().name(partition, directory, LogFolder.FOLDER_STRAY));
                LOG.warn("Setting aside an old folder of that name: partition={} folder={}", partition, old.path());
                return;
            }
        }
        files.deleteTree(folder.path());
    }

    /** A new log in a folder of its own; {@code future} names it as the copy of a move. */
    SegmentedLog create(
            TopicPartition partition, Uuid topicId, LogConfig config, DiskDirectory directory, boolean future) {
        directory.requireOnline();
        FileStore files = environment.files();
        String name = future
                ? manager.removal().name(partition, directory, LogFolder.FOLDER_FUTURE)
                : LogFolder.name(partition);
        LogFolder folder = new LogFolder(files, directory.path().resolve(name));
        manager.unname(partition, directory);
        try {
            makeRoom(partition, folder, directory);
            files.createDirectories(folder.path());
            if (!Uuid.ZERO_UUID.equals(topicId)) {
                PartitionMetadata.write(folder, topicId);
            }
            SegmentedLog.LogParts parts = parts(partition, topicId, folder, directory);
            LogRecovery beginning =
                    new LogRecovery(parts, config, new LogRecovery.Hints(true, 0, 0, -1), this::producerExpirationMs);
            SegmentedLog log = new SegmentedLog(parts, config, beginning.begin());
            log.reconfigure(config);
            return log;
        } catch (IOException e) {
            throw directory.failed("Making the log of " + partition, e);
        }
    }
}
