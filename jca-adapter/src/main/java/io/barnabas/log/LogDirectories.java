package io.barnabas.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InconsistentTopicIdException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logs of all data directories: opens and recovers them, makes and deletes them, and closes them so that the next start is quick.
 * What goes on by itself in the meantime is {@link LogJanitor}'s; moves are {@link LogMover}'s; what becomes of folders is {@link LogRemoval}'s.
 *
 * <p>Threads: any. {@link #changes} orders creations, deletions and swaps.
 */
public final class LogDirectories implements LogManager, LogOwner, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogDirectories.class);

    private final LogEnvironment environment;
    private final List<DiskDirectory> directories;
    private final ConcurrentHashMap<TopicPartition, SegmentedLog> logs = new ConcurrentHashMap<>();
    private final Set<SegmentedLog> alsoNamed = ConcurrentHashMap.newKeySet();
    private final Object changes = new Object();
    private final DirectoryWishes wishes = new DirectoryWishes();
    private final DamagedLogs damaged = new DamagedLogs();
    private final LogRemoval removal;
    private final MovedLogs movedLogs;
    private final LogJanitor janitor;
    private final LogMover mover;
    private final LogLoader loader;
    private volatile LogManagerSettings settings;
    private volatile boolean closed;

    private LogDirectories(LogManagerSettings settings, LogEnvironment environment, List<DiskDirectory> directories) {
        this.settings = settings;
        this.environment = environment;
        this.directories = directories;
        this.removal = new LogRemoval(this, environment);
        this.movedLogs = new MovedLogs(removal, environment);
        this.janitor = new LogJanitor(this, environment);
        this.mover = new LogMover(this, environment);
        this.loader = new LogLoader(this, mover, environment);
        cordon();
    }

    /**
     * Opens the directories and recovers every log in them. A directory that fails is offline from the beginning; the others serve.
     *
     * @throws ForeignDirectoryException if a directory belongs to another broker or is in use
     * @throws IOException if no directory can be used
     */
    public static LogDirectories open(LogManagerSettings settings, LogEnvironment environment) throws IOException {
        List<DiskDirectory> directories = LogLoader.openDirectories(settings, environment);
        try {
            LogDirectories opened = new LogDirectories(settings, environment, directories);
            opened.load();
            opened.janitor.start();
            return opened;
        } catch (RuntimeException e) {
            LogLoader.unlock(directories);
            throw e;
        }
    }

    // ---- loading

    private void load() {
        List<Runnable> tasks = new ArrayList<>();
        for (DiskDirectory directory : directories) {
            if (directory.online()) {
                try {
                    tasks.addAll(loader.tasks(directory));
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

    /** A log as the start found it. One that was left for another directory may come back, if its own failed when it was left. */
    void found(SegmentedLog log) {
        logs.merge(log.topicPartition(), log, (one, other) -> {
            LOG.error(
                    "A log is in two data directories, taking the one that goes further: partition={} one={} other={}",
                    log.topicPartition(),
                    one.folder().path(),
                    other.folder().path());
            return FoundCopies.FURTHEST_FIRST.compare(one, other) <= 0 ? one : other;
        });
    }

    /** From now on a log that the checkpoint does not name was never forced (README, "gap"). */
    private void checkpointAfterStart(DiskDirectory directory) {
        try {
            checkpoint(directory);
        } catch (LogStorageException e) {
            LOG.warn("No checkpoint after the start: directory={} error={}", directory.path(), e.toString());
        }
    }

    // ---- the manager's face

    @Override
    public List<DataDirectory> directories() {
        return List.copyOf(directories);
    }

    List<DiskDirectory> disks() {
        return directories;
    }

    LogRemoval removal() {
        return removal;
    }

    MovedLogs movedLogs() {
        return movedLogs;
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
                present = loader.create(partition, topicId, config, placeOf(partition, directory), false);
                logs.put(partition, present);
            } else if (!present.topicId().equals(topicId) && !Uuid.ZERO_UUID.equals(present.topicId())) {
                throw new InconsistentTopicIdException("The log of " + partition + " belongs to the topic with id "
                        + present.topicId() + ", not " + topicId);
            } else if (!present.topicId().equals(topicId) && !Uuid.ZERO_UUID.equals(topicId)) {
                present.adopt(topicId);
            }
            present.reconfigure(config);
            mover.resume(present);
            return present;
        }
    }

    private DiskDirectory placeOf(TopicPartition partition, @Nullable DataDirectory named) {
        @Nullable DiskDirectory wished = wishes.take(partition);
        if (named != null) {
            return mine(named);
        }
        return wished != null && wished.online() ? wished : LogPlacement.choose(directories, logs.values());
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
        remove(partition, removal::discard);
    }

    @Override
    public void setAside(TopicPartition partition) {
        remove(partition, removal::setAside);
    }

    private void remove(TopicPartition partition, Consumer<SegmentedLog> how) {
        synchronized (changes) {
            mover.cancel(partition);
            movedLogs.forget(partition);
            Optional.ofNullable(logs.remove(partition)).ifPresent(how);
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
        SegmentedLog named = logs.get(partition);
        if (named != null && named.folder().isFuture()) {
            named.flush(); // it moved a moment ago and has yet to bear its name: two copies without a log could not
            // be told apart
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

    SegmentedLog createFuture(SegmentedLog of, DiskDirectory target) {
        SegmentedLog future = loader.create(of.topicPartition(), of.topicId(), of.config(), target, true);
        name(future);
        return future;
    }

    /**
     * A log is about to be made: what recovery finds in the checkpoint shall not be another log's, which was deleted or moved away, nor
     * shall it find none at all, which it would take for a damaged one.
     *
     * @throws LogStorageException if the checkpoint cannot be written, for want of room say
     */
    void unname(TopicPartition partition, DiskDirectory directory) {
        alsoNamed.removeIf(
                log -> log.disk() == directory && log.topicPartition().equals(partition));
        if (directory.mayName(partition)) {
            checkpoint(directory);
        }
        directory.forgetHighWatermark(partition, logs.values());
    }

    /** Checkpoints name this log too, though it is not, or no longer, the one that serves. */
    void name(SegmentedLog log) {
        alsoNamed.add(log);
    }

    /**
     * The future log has all of the present one and takes its place. Nothing is forced here: the next force of the future log does
     * that first. The caller holds the present log's lock.
     */
    void swap(SegmentedLog present, SegmentedLog future) {
        try {
            present.folder()
                    .move(LogFolder.nameMoved(
                            present.topicPartition(), future.disk().id()));
        } catch (IOException e) {
            throw present.disk().failed("Moving the log of " + present.topicPartition(), e);
        }
        name(present); // until its going is forced: should it come back, its gaps would count as losses
        future.durability().beforeNextForce(() -> {
            present.disk().syncLeft(present.topicPartition());
            future.folder().rename(LogFolder.name(future.topicPartition()));
        });
        future.reconfigure(present.config());
        future.onHighWatermark(present.highWatermark());
        logs.put(present.topicPartition(), future);
        alsoNamed.remove(future);
        present.retireFor(future);
    }

    /** Nobody asks for this log any more. */
    void forget(SegmentedLog log) {
        alsoNamed.remove(log);
        damaged.forget(log);
        janitor.compactor().onDeleted(log.topicPartition(), log.disk());
    }

    void adopt(SegmentedLog log) {
        logs.put(log.topicPartition(), log);
        alsoNamed.remove(log);
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
    public void onDamage(BiConsumer<PartitionLog, String> listener) {
        damaged.tell(listener);
    }

    @Override
    public Collection<MovedLog> moved() {
        return movedLogs.all();
    }

    @Override
    public void onMoveRecorded(TopicPartition partition) {
        movedLogs.forget(partition);
    }

    @Override
    public void onMoved(Consumer<PartitionLog> listener) {
        mover.onMoved(listener);
    }

    @Override
    public void onSettled(Consumer<PartitionLog> listener) {
        mover.onSettled(listener);
    }

    @Override
    public void reconfigure(LogManagerSettings newSettings) {
        settings = newSettings;
        cordon();
        janitor.onSettings();
    }

    private void cordon() {
        directories.forEach(each -> each.cordon(settings.cordoned().contains(each.path())));
    }

    // ---- LogOwner

    @Override
    public void checkpoint(DiskDirectory directory) {
        directory.checkpoint(withCopies());
    }

    private List<SegmentedLog> withCopies() {
        List<SegmentedLog> all = new ArrayList<>(logs.values());
        all.addAll(alsoNamed);
        return all;
    }

    @Override
    public void checkpointHighWatermarks() {
        directories.forEach(directory -> directory.checkpointHighWatermarks(logs.values()));
    }

    @Override
    public void boundMoves(LongSupplier bytesPerSecond) {
        mover.pace().bound(bytesPerSecond);
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
        if (offset < log.highWatermark()) {
            log.disk().writeHighWatermarks(logs.values());
        }
        mover.onTruncated(log, offset);
        janitor.compactor().onTruncated(log.topicPartition(), log.disk(), offset);
    }

    @Override
    public void damaged(SegmentedLog log, String what) {
        damaged.add(log, what);
    }

    private void requireOpen() {
        if (closed) {
            throw new LogStorageException("The logs are closed");
        }
    }

    /** Forces and closes every log and leaves the clean-shutdown mark in each directory where all went well. */
    @Override
    public void close() {
        synchronized (changes) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try {
            janitor.stop();
            mover.stop();
            environment.threads().close();
            Set<DiskDirectory> unclean = closeLogs();
            directories.forEach(directory -> finish(directory, !unclean.contains(directory)));
        } finally {
            LogLoader.unlock(directories);
        }
    }

    private Set<DiskDirectory> closeLogs() {
        Set<DiskDirectory> unclean = ConcurrentHashMap.newKeySet();
        List<Runnable> tasks = new ArrayList<>();
        for (SegmentedLog log : withCopies()) {
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
        return unclean;
    }

    /** Ends without a word, as a killed process does: for tests of crashes. */
    void abandon() {
        closed = true;
        janitor.stop();
        for (SegmentedLog log : withCopies()) {
            log.retire();
            log.closeFiles();
        }
        LogLoader.unlock(directories);
    }

    private void finish(DiskDirectory directory, boolean clean) {
        try {
            if (directory.online()) {
                checkpoint(directory);
                directory.checkpointHighWatermarks(logs.values());
                if (clean) {
                    directory.writeCleanShutdown();
                }
            }
        } catch (IOException | LogStorageException e) {
            LOG.warn("No clean-shutdown mark: directory={} error={}", directory.path(), e.toString());
        }
    }
}
