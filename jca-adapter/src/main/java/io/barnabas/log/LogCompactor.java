package io.barnabas.log;

import io.barnabas.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compacts the dirtiest log, one pass at a time: {@link LogJanitor} calls {@link #compactDirtiest} on each of the cleaner threads, again
 * at once while it answers true and after log.cleaner.backoff.ms when it answers false.
 *
 * <p>A log that cannot be compacted (damaged batches, an error in here) is set aside with the reason until the next start, instead of
 * being tried again for ever; a failed disk is the log's affair, a full one is tried again later. Safe from any thread.
 */
final class LogCompactor {
    private static final Logger LOG = LoggerFactory.getLogger(LogCompactor.class);

    private final Supplier<? extends Collection<? extends CompactableLog>> logs;
    private final FileStore files;
    private final Clock clock;
    private final LongSupplier dedupeBufferBytes;
    private final Map<TopicPartition, String> uncleanable = new ConcurrentHashMap<>();
    // guarded by this
    private final Map<Path, CleanerCheckpoint> checkpoints = new HashMap<>();
    private final Set<TopicPartition> inProgress = new HashSet<>();
    private final CleanerPace pace;

    /** @param dedupeBufferBytes memory for keys of one pass: log.cleaner.dedupe.buffer.size over log.cleaner.threads */
    LogCompactor(
            Supplier<? extends Collection<? extends CompactableLog>> logs,
            FileStore files,
            Clock clock,
            LongSupplier dedupeBufferBytes,
            CleanerPace pace) {
        this.logs = logs;
        this.files = files;
        this.clock = clock;
        this.dedupeBufferBytes = dedupeBufferBytes;
        this.pace = pace;
    }

    /** Logs that are set aside, and why. */
    Map<TopicPartition, String> uncleanable() {
        return Map.copyOf(uncleanable);
    }

    /** A log lost its end: what comes back in its place is dirty. */
    synchronized void onTruncated(TopicPartition partition, DiskDirectory disk, long offset) {
        try {
            CleanerCheckpoint checkpoint = checkpoint(disk.path());
            if (checkpoint.get(partition) > offset) {
                checkpoint.put(partition, offset);
            }
        } catch (IOException e) {
            throw disk.failed("Writing the cleaner's checkpoint", e);
        }
    }

    /** A log is gone; another of its name begins anew. */
    synchronized void onDeleted(TopicPartition partition, DiskDirectory disk) {
        uncleanable.remove(partition);
        try {
            if (disk.online()) {
                checkpoint(disk.path()).remove(partition);
            }
        } catch (IOException e) {
            throw disk.failed("Writing the cleaner's checkpoint", e);
        }
    }

    /** Ends passes under way at their next chunk and begins no other. */
    void stop() {
        pace.stop();
    }

    /** Runs one pass over the dirtiest log that is due; false if none is, or it came to nothing. */
    boolean compactDirtiest() {
        Choice choice = choose();
        if (choice == null) {
            return false;
        }
        try {
            return compact(choice);
        } finally {
            release(choice.log.topicPartition());
        }
    }

    private boolean compact(Choice choice) {
        CompactableLog log = choice.log;
        long started = clock.monotonicMillis();
        int truncations = log.truncations();
        try {
            KeyOffsets keys = new KeyOffsets(dedupeBufferBytes.getAsLong());
            long end = new CompactionPass(log, choice.range, keys, clock, pace).run();
            checkpoint(log, end, truncations);
            LOG.info(
                    "Compacted: partition={} from={} to={} dirtyBytes={} cleanBytes={} keys={} ms={}",
                    log.topicPartition(),
                    choice.range.dirtyOffset(),
                    end,
                    choice.range.dirtyBytes(),
                    choice.range.cleanBytes(),
                    keys.size(),
                    clock.monotonicMillis() - started);
            return true;
        } catch (CompactionPass.Abandoned e) {
            LOG.debug("Compaction abandoned: partition={} why={}", log.topicPartition(), e.getMessage());
        } catch (LogStorageException e) {
            LOG.warn("Compaction ended by a failed disk: partition={}", log.topicPartition(), e);
        } catch (IOException e) {
            onFailure(log, choice.range.sealed(), truncations, e);
        } catch (ApiException e) {
            setAside(log.topicPartition(), e);
        } catch (RuntimeException e) {
            setAside(log.topicPartition(), e);
        } catch (OutOfMemoryError e) {
            LOG.error(
                    "No memory for compaction, log.cleaner.dedupe.buffer.size is too large: partition={}",
                    log.topicPartition(),
                    e);
        }
        return false;
    }

    /** An error is the disk's unless what was read was deleted or truncated meanwhile, as it may be at any time. */
    private void onFailure(CompactableLog log, List<Segment> read, int truncations, IOException e) {
        boolean gone = log.truncations() != truncations || !log.segments().containsAll(read);
        if (pace.stopped() || log.closed() || gone) {
            LOG.debug("Compaction abandoned, its segments are gone: partition={}", log.topicPartition(), e);
        } else {
            log.onCompactionFailure(e);
        }
    }

    private void setAside(TopicPartition partition, RuntimeException e) {
        LOG.error("Log cannot be compacted and is set aside: partition={}", partition, e);
        uncleanable.put(partition, String.valueOf(e.getMessage()));
    }

    private synchronized @Nullable Choice choose() {
        Choice best = null;
        for (CompactableLog log : logs.get()) {
            if (pace.stopped() || !isCandidate(log)) {
                continue;
            }
            CompactionRange range = range(log);
            if (range != null
                    && range.isDue(log.config())
                    && (best == null || range.dirtyRatio() > best.range.dirtyRatio())) {
                best = new Choice(log, range);
            }
        }
        if (best != null) {
            inProgress.add(best.log.topicPartition());
        }
        return best;
    }

    private boolean isCandidate(CompactableLog log) {
        TopicPartition partition = log.topicPartition();
        return log.config().compact() && !inProgress.contains(partition) && !uncleanable.containsKey(partition);
    }

    private @Nullable CompactionRange range(CompactableLog log) {
        TopicPartition partition = log.topicPartition();
        int truncations = log.truncations();
        List<Segment> segments = log.segments();
        try {
            long cleaned = checkpoint(log.disk().path()).get(partition);
            return CompactionRange.of(log, segments, cleaned, clock.wallMillis());
        } catch (IOException e) {
            onFailure(log, segments, truncations, e);
            return null;
        } catch (RuntimeException e) {
            setAside(partition, e);
            return null;
        }
    }

    /** Not if the log was truncated in the meantime: {@link #onTruncated} has then been told, or is about to be. */
    private synchronized void checkpoint(CompactableLog log, long end, int truncations) throws IOException {
        if (log.truncations() == truncations && !log.closed()) {
            checkpoint(log.disk().path()).put(log.topicPartition(), end);
        }
    }

    private synchronized CleanerCheckpoint checkpoint(Path directory) throws IOException {
        CleanerCheckpoint known = checkpoints.get(directory);
        if (known == null) {
            known = new CleanerCheckpoint(files, directory);
            checkpoints.put(directory, known);
        }
        return known;
    }

    private synchronized void release(TopicPartition partition) {
        inProgress.remove(partition);
    }

    private record Choice(CompactableLog log, CompactionRange range) {}
}
