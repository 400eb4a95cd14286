package io.barnabas.log;

import io.barnabas.time.Ticker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What logs need from time to time: retention, compaction, forces by flush.ms, checkpoints, expiry of producers; once, a look for damage.
 *
 * <p>Threads: the ticker says when, the worker does it, or the cleaners do; one round of a kind at a time.
 */
final class LogJanitor {
    private static final Logger LOG = LoggerFactory.getLogger(LogJanitor.class);
    private static final long FLUSH_CHECK_MS = 1_000;
    /** The cleaners' maps of keys may have this part of the heap, whatever log.cleaner.dedupe.buffer.size says. */
    private static final int HEAP_PART = 4;

    private final LogDirectories directories;
    private final LogEnvironment environment;
    private final LogCompactor compactor;
    private final LogCheck check;
    private final List<Ticker.Timeout> pending = new ArrayList<>(); // guarded by itself
    private int cleaners; // that were started; guarded by pending
    private final AtomicLong told = new AtomicLong(); // bytes of the cleaners' maps that the heap is too small for
    private volatile boolean stopped;

    LogJanitor(LogDirectories directories, LogEnvironment environment) {
        this.directories = directories;
        this.environment = environment;
        this.compactor = new LogCompactor(
                this::compactable,
                environment.files(),
                environment.clock(),
                () -> dedupeBytes(directories.settings()),
                new CleanerPace(environment.clock(), environment.threads(), () -> directories
                        .settings()
                        .cleanerIoBytesPerSecond()));
        this.check = new LogCheck(directories, environment);
    }

    /** Memory for the keys of one pass. */
    private static long dedupeBytes(LogManagerSettings now) {
        long most = Runtime.getRuntime().maxMemory() / HEAP_PART;
        return Math.min(now.cleanerDedupeBufferBytes(), most) / Math.max(1, now.cleanerThreads());
    }

    /** Told once of each size: it is asked for at each change of settings. */
    private void tellOfHeap(LogManagerSettings now) {
        long heap = Runtime.getRuntime().maxMemory();
        long bytes = now.cleanerEnabled() ? now.cleanerDedupeBufferBytes() : 0;
        if (bytes > heap / HEAP_PART && told.getAndSet(bytes) != bytes) {
            LOG.info(
                    "log.cleaner.dedupe.buffer.size is more than a quarter of the heap, which is taken: bytes={} heap={}",
                    bytes,
                    heap);
        }
    }

    LogCompactor compactor() {
        return compactor;
    }

    /**
     * Only logs whose topic's settings are known: by the defaults nothing is cleaned. None that is being moved: the copy may have a record
     * whose deletion would be cleaned away before it is copied.
     */
    private List<CompactableLog> compactable() {
        List<CompactableLog> found = new ArrayList<>();
        Set<TopicPartition> moving = directories.futureLogs().stream()
                .map(PartitionLog::topicPartition)
                .collect(Collectors.toSet());
        for (SegmentedLog log : serving()) {
            boolean quiet = !check.isDue(log) && !moving.contains(log.topicPartition());
            if (log.configured() && log.config().compact() && quiet) {
                found.add(new CompactableSegments(log));
            }
        }
        return found;
    }

    void start() {
        long initialDelayMs = directories.settings().initialTaskDelayMs();
        every(initialDelayMs, () -> directories.settings().retentionCheckIntervalMs(), this::retain);
        every(FLUSH_CHECK_MS, () -> FLUSH_CHECK_MS, this::flushDue);
        every(initialDelayMs, () -> directories.settings().flushCheckpointIntervalMs(), this::checkpoint);
        Interval expiry = () -> directories.settings().producerIdExpirationCheckIntervalMs();
        every(expiry.ms(), expiry, this::expire);
        check.start();
        onSettings();
    }

    /** Settings are new: there may be more cleaners now; those that are too many do nothing. */
    void onSettings() {
        LogManagerSettings now = directories.settings();
        tellOfHeap(now);
        environment.threads().cleaners(now.cleanerThreads());
        synchronized (pending) {
            while (cleaners < now.cleanerThreads() && !stopped) {
                int number = cleaners++;
                every(
                        now.cleanerBackoffMs(),
                        () -> directories.settings().cleanerBackoffMs(),
                        () -> compact(number),
                        environment.threads().cleaner());
            }
        }
    }

    private void compact(int number) {
        if (number < directories.settings().cleanerThreads()) {
            compact();
        }
    }

    /** Compacts until nothing is due. */
    void compact() {
        while (!stopped
                && environment.clock().settled()
                && directories.settings().cleanerEnabled()
                && compactor.compactDirtiest()) {
            LOG.debug("Compacted a log, looking for another");
        }
    }

    void stop() {
        stopped = true;
        compactor.stop();
        check.stop();
        synchronized (pending) {
            pending.forEach(Ticker.Timeout::cancel);
            pending.clear();
        }
    }

    private interface Interval {
        long ms();
    }

    private void every(long firstMs, Interval interval, Runnable task) {
        every(firstMs, interval, task, environment.threads().worker());
    }

    private void every(long firstMs, Interval interval, Runnable task, Executor executor) {
        Ticker.Timeout[] own = new Ticker.Timeout[1];
        synchronized (pending) {
            own[0] = environment
                    .ticker()
                    .after(
                            firstMs,
                            () -> executor.execute(() -> {
                                synchronized (pending) {
                                    pending.remove(own[0]);
                                }
                                runAndRepeat(interval, task, executor);
                            }));
            pending.add(own[0]);
        }
    }

    /** Whatever the task throws, it has its next turn: without retention and checkpoints a broker fills its disks in silence. */
    private void runAndRepeat(Interval interval, Runnable task, Executor executor) {
        if (stopped) {
            return;
        }
        try {
            run(task);
        } finally {
            every(interval.ms(), interval, task, executor);
        }
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.warn("A periodic task of the log failed", e);
        }
    }

    private Iterable<SegmentedLog> serving() {
        return directories.segmentedLogs().stream()
                .filter(log -> log.disk().online() && !log.closed())
                .toList();
    }

    void retain() {
        if (!environment.clock().settled()) {
            return;
        }
        long now = environment.clock().wallMillis();
        for (SegmentedLog log : serving()) {
            if (log.configured()) {
                run(() -> retain(log, now));
            }
        }
    }

    private void retain(SegmentedLog log, long now) {
        LogView seen = log.view();
        try {
            Retention.apply(log, now);
        } catch (IOException e) {
            if (log.closed() || log.view().segments() != seen.segments()) {
                LOG.debug("Retention ended, segments went away meanwhile: partition={}", log.topicPartition(), e);
            } else {
                if (e instanceof DamagedSegmentException) {
                    directories.damaged(log, e);
                }
                throw log.disk().failed("Retention of " + log.topicPartition(), e);
            }
        }
    }

    private void flushDue() {
        long now = environment.clock().monotonicMillis();
        for (SegmentedLog log : serving()) {
            if (log.durability().flushDue(now)) {
                log.disk().commits().request(log);
            }
        }
    }

    private void checkpoint() {
        for (DiskDirectory directory : directories.disks()) {
            if (directory.online()) {
                run(() -> directories.checkpoint(directory));
            }
        }
    }

    private void expire() {
        if (!environment.clock().settled()) {
            return;
        }
        long now = environment.clock().wallMillis();
        for (SegmentedLog log : serving()) {
            log.expireProducers(now);
        }
    }
}
