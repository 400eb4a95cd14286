package io.barnabas.log;

import io.barnabas.time.Ticker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What logs need from time to time: retention, forces by flush.ms, checkpoints, expiry of producers.
 *
 * <p>Threads: the ticker says when, the worker does it; one round of a kind at a time.
 */
final class LogJanitor {
    private static final Logger LOG = LoggerFactory.getLogger(LogJanitor.class);
    private static final long INITIAL_DELAY_MS = 30_000;
    private static final long FLUSH_CHECK_MS = 1_000;
    private static final long EXPIRY_CHECK_MS = 600_000;

    private final LogDirectories directories;
    private final LogEnvironment environment;
    private final List<Ticker.Timeout> pending = new ArrayList<>(); // guarded by itself
    private volatile boolean stopped;

    LogJanitor(LogDirectories directories, LogEnvironment environment) {
        this.directories = directories;
        this.environment = environment;
    }

    void start() {
        every(INITIAL_DELAY_MS, () -> directories.settings().retentionCheckIntervalMs(), this::retain);
        every(FLUSH_CHECK_MS, () -> FLUSH_CHECK_MS, this::flushDue);
        every(INITIAL_DELAY_MS, () -> directories.settings().flushCheckpointIntervalMs(), this::checkpoint);
        every(EXPIRY_CHECK_MS, () -> EXPIRY_CHECK_MS, this::expire);
    }

    void stop() {
        stopped = true;
        synchronized (pending) {
            pending.forEach(Ticker.Timeout::cancel);
            pending.clear();
        }
    }

    private interface Interval {
        long ms();
    }

    private void every(long firstMs, Interval interval, Runnable task) {
        Ticker.Timeout[] own = new Ticker.Timeout[1];
        synchronized (pending) {
            own[0] = environment
                    .ticker()
                    .after(firstMs, () -> environment.threads().worker().execute(() -> {
                        synchronized (pending) {
                            pending.remove(own[0]);
                        }
                        if (!stopped) {
                            run(task);
                            every(interval.ms(), interval, task);
                        }
                    }));
            pending.add(own[0]);
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
        long now = environment.clock().wallMillis();
        for (SegmentedLog log : serving()) {
            if (log.configured()) {
                run(() -> {
                    try {
                        Retention.apply(log, now);
                    } catch (IOException e) {
                        throw log.disk().failed("Retention of " + log.topicPartition(), e);
                    }
                });
            }
        }
    }

    private void flushDue() {
        long now = environment.clock().monotonicMillis();
        for (SegmentedLog log : serving()) {
            if (log.flushDue(now)) {
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
        long now = environment.clock().wallMillis();
        for (SegmentedLog log : serving()) {
            log.expireProducers(now);
        }
    }
}
