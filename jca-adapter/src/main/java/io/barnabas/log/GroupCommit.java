package io.barnabas.log;

import java.io.IOException;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.errors.ApiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forces the logs of one data directory on one thread: whoever waits while a force runs is served together by the next one.
 *
 * <p>A force that failed is never tried again: the system may have dropped the pages it could not write and would report success
 * the next time. The directory goes offline and every waiter gets the error. Only one that could not open what it was to force is made up
 * for by the next one.
 *
 * <p>Threads: any may ask; {@link #run} is on the directory's forcer.
 */
final class GroupCommit {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);
    private final DiskDirectory directory;
    private final Executor forcer;
    private final Set<SegmentedLog> dirty = new LinkedHashSet<>(); // guarded by itself
    private boolean running; // guarded by dirty

    GroupCommit(DiskDirectory directory, Executor forcer) {
        this.directory = directory;
        this.forcer = forcer;
    }

    /** Forces {@code log} soon. */
    void request(SegmentedLog log) {
        synchronized (dirty) {
            dirty.add(log);
            if (running) {
                return;
            }
            running = true;
        }
        try {
            forcer.execute(this::run);
        } catch (RuntimeException e) {
            synchronized (dirty) {
                running = false;
            }
            LOG.debug("Force not started, the log is closing: directory={}", directory.path());
        }
    }

    private void run() {
        Error fatal = null;
        for (Set<SegmentedLog> batch = next(); !batch.isEmpty(); batch = next()) {
            for (SegmentedLog log : batch) {
                try {
                    force(log);
                } catch (RuntimeException e) {
                    LOG.error("Force failed, the directory is offline: partition={}", log.topicPartition(), e);
                } catch (Error e) {
                    fatal = fatal == null ? e : fatal;
                }
            }
        }
        if (fatal != null) {
            throw fatal;
        }
    }

    /** What is to be forced now; empty if nothing is, and this thread's turn ends. */
    private Set<SegmentedLog> next() {
        synchronized (dirty) {
            Set<SegmentedLog> batch = new LinkedHashSet<>(dirty);
            dirty.clear();
            running = !batch.isEmpty();
            return batch;
        }
    }

    /** Nobody is left waiting, whatever comes out of the force: what it left undone is not known then, as after an I/O error. */
    private void force(SegmentedLog log) {
        try {
            log.flush();
        } catch (ApiException e) { // the disk failed, or the log was closed or moved
            LOG.warn("Force failed: partition={} error={}", log.topicPartition(), e.toString());
            log.durability().fail(e);
        } catch (RuntimeException | Error e) {
            log.durability().fail(directory.broken("A force of " + log.topicPartition(), new IOException(e)));
            throw e;
        }
    }

    /** Those that wait for one log's bytes to be forced, in the order of their offsets. */
    static final class Waiters {
        private final Queue<Waiter> waiting =
                new PriorityQueue<>(Comparator.comparingLong(Waiter::offset)); // guarded by itself

        private record Waiter(long offset, CompletableFuture<Void> future) {}

        void add(long offset, CompletableFuture<Void> future) {
            synchronized (waiting) {
                waiting.add(new Waiter(offset, future));
            }
        }

        void complete(long forcedUpTo) {
            while (true) {
                Waiter first;
                synchronized (waiting) {
                    first = waiting.peek();
                    if (first == null || first.offset() > forcedUpTo) {
                        return;
                    }
                    waiting.remove();
                }
                first.future().complete(null);
            }
        }

        /** Those that wait for more than the log has, since it was cut, would wait for other records. */
        void failAbove(long end, Throwable cause) {
            List<Waiter> above;
            synchronized (waiting) {
                above = waiting.stream().filter(waiter -> waiter.offset() > end).toList();
                waiting.removeAll(above);
            }
            above.forEach(waiter -> waiter.future().completeExceptionally(cause));
        }

        void fail(Throwable cause) {
            while (true) {
                Waiter first;
                synchronized (waiting) {
                    first = waiting.poll();
                }
                if (first == null) {
                    return;
                }
                first.future().completeExceptionally(cause);
            }
        }
    }
}
