package io.barnabas.log;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.jspecify.annotations.Nullable;

/**
 * What of a log is forced, and who waits for more. After {@link SegmentedLog}; {@link GroupCommit} calls {@link #flush} for whoever
 * asked {@link #durable}, and {@link SegmentStore#force} does it.
 *
 * <p>Threads: any. Forces hold the log's flush lock, and its lock for the moments in which they read and publish what is known.
 */
final class LogDurability {
    private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

    private final SegmentedLog log;
    private final SegmentedLog.LogParts parts;
    private final LogState state;
    private final SegmentStore segments;
    private final GroupCommit.Waiters waiters = new GroupCommit.Waiters();
    private volatile long lastFlushMs;
    private SegmentedLog.@Nullable Change beforeForce; // guarded by the flush lock

    LogDurability(SegmentedLog log, SegmentedLog.LogParts parts, LogState state, SegmentStore segments) {
        this.log = log;
        this.parts = parts;
        this.state = state;
        this.segments = segments;
        this.lastFlushMs = parts.environment().clock().monotonicMillis();
    }

    /** See {@link PartitionLog#durable}. */
    CompletableFuture<Void> durable(long offset) {
        if (state.config.durability() == LogConfig.Durability.OS || offset <= state.recoveryPoint) {
            return DONE;
        }
        CompletableFuture<Void> forced = new CompletableFuture<>();
        waiters.add(offset, forced);
        if (!parts.directory().online() || log.closed()) {
            waiters.fail(new LogStorageException("The log " + parts.partition() + " is closed or offline"));
        } else {
            parts.directory().commits().request(log);
        }
        return forced;
    }

    /** Forces what is not forced yet and tells who waits. */
    void flush() {
        synchronized (log.flushLock()) {
            log.requireOpen();
            runBeforeForce();
            LogView now = state.view;
            long from = Math.min(state.recoveryPoint, state.indexedBelow);
            if (now.endOffset() > state.recoveryPoint || now.active().baseOffset() > state.indexedBelow) {
                force(now, from);
                synchronized (log.lock()) {
                    state.indexedBelow = now.active().baseOffset();
                    // a truncation meanwhile has lowered the end
                    state.recoveryPoint =
                            Math.max(state.recoveryPoint, Math.min(now.endOffset(), state.view.endOffset()));
                }
            }
            lastFlushMs = parts.environment().clock().monotonicMillis();
        }
        waiters.complete(state.recoveryPoint);
    }

    private void force(LogView view, long from) {
        try {
            segments.force(view, from);
            List<Long> fresh;
            synchronized (log.lock()) {
                fresh = state.producers.snapshots().from(from);
            }
            state.producers.snapshots().force(fresh);
        } catch (IOException e) {
            log.requireOpen(); // a folder that was taken away cannot be forced, and need not be
            throw parts.directory().forceFailed("A force of " + parts.partition(), e);
        }
    }

    /** Nothing counts as forced until this was done; tried again at each force. */
    void beforeNextForce(SegmentedLog.Change change) {
        synchronized (log.flushLock()) {
            beforeForce = change;
        }
    }

    private void runBeforeForce() {
        SegmentedLog.Change change = beforeForce;
        if (change != null) {
            try {
                change.run();
                beforeForce = null;
            } catch (IOException e) {
                log.requireOpen(); // a folder that was taken away
                throw parts.directory().forceFailed("Naming the log of " + parts.partition(), e);
            }
        }
    }

    /** Makes the folder's and the files' entries durable, though there may be no batch to force. */
    void syncFolder() throws IOException {
        FileStore files = parts.folder().files();
        files.syncDirectory(parts.folder().path());
        files.syncDirectory(parts.directory().path());
    }

    /** flush.ms has passed since the last force and something came since. */
    boolean flushDue(long nowMonotonicMs) {
        return state.view.endOffset() > state.recoveryPoint && nowMonotonicMs - lastFlushMs >= state.config.flushMs();
    }

    /** The log was cut: nobody waits any longer for what it has lost. */
    void onTruncation() {
        waiters.failAbove(
                state.view.endOffset(),
                new NotLeaderOrFollowerException("The log " + parts.partition() + " was truncated"));
    }

    /** Nobody waits any longer. */
    void fail(Throwable cause) {
        waiters.fail(cause);
    }
}
