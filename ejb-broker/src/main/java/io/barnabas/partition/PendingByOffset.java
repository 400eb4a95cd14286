package io.barnabas.partition;

import io.barnabas.partition.Partition.Registration;
import io.barnabas.partition.Partition.Watcher;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What waits for one partition to move on: acks=all for an offset to be committed, long polls for more to read. An append with
 * nobody waiting costs one volatile read here.
 *
 * <p>Safe from any thread. Waiters are called on the thread that brought the progress, under no lock of ours.
 */
final class PendingByOffset {
    private final PriorityQueue<Commit> commits =
            new PriorityQueue<>(Comparator.comparingLong(Commit::offset)); // guarded by this
    private @Nullable Watch firstWatch; // guarded by this
    private int watches; // guarded by this
    private volatile boolean anyone; // written under this

    private record Commit(long offset, int epoch, boolean patient, CompletableFuture<Void> done) {}

    /**
     * Waits for an offset. The caller looks at the high watermark again after this and calls {@link #onAdvance} if it has passed
     * meanwhile: so no advance is missed.
     *
     * @param epoch of the leader under which the record was appended
     * @param patient waits on while the leader is cut off
     */
    synchronized CompletionStage<Void> await(long offset, int epoch, boolean patient) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        commits.add(new Commit(offset, epoch, patient, done));
        anyone = true;
        return done;
    }

    synchronized Registration watch(Watcher watcher) {
        Watch watch = new Watch(watcher);
        watch.next = firstWatch;
        if (firstWatch != null) {
            firstWatch.previous = watch;
        }
        firstWatch = watch;
        watches++;
        anyone = true;
        return watch;
    }

    /** {@code bytes} more are in the log, not committed yet: for who reads to its end. */
    void onAppended(int bytes) {
        if (anyone) {
            tell(watchers(Who.AT_LOG_END), bytes);
        }
    }

    /** The high watermark is {@code highWatermark} now; {@code bytes} more can be read by who reads up to it. */
    void onCommitted(long highWatermark, int epoch, int bytes) {
        if (anyone) {
            complete(highWatermark, epoch);
            tell(watchers(Who.AT_HIGH_WATERMARK), bytes);
        }
    }

    /** Log end and high watermark are {@code highWatermark} now; {@code bytes} more can be read. */
    void onAdvance(long highWatermark, int epoch, int bytes) {
        if (!anyone) {
            return;
        }
        complete(highWatermark, epoch);
        if (bytes > 0) {
            tell(watchers(Who.ALL), bytes);
        }
    }

    /** A commit of a later epoch than the high watermark's is another record at the same offset. */
    private void complete(long highWatermark, int epoch) {
        List<Commit> reached = List.of();
        synchronized (this) {
            while (!commits.isEmpty()
                    && commits.peek().offset() <= highWatermark
                    && commits.peek().epoch() <= epoch) {
                reached = reached.isEmpty() ? new ArrayList<>() : reached;
                reached.add(commits.poll());
            }
            anyone = watches > 0 || !commits.isEmpty();
        }
        for (Commit commit : reached) {
            commit.done().complete(null);
        }
    }

    private static void tell(@Nullable Watcher[] told, int bytes) {
        for (@Nullable Watcher watcher : told) {
            if (watcher != null) {
                watcher.onAdvance(bytes);
            }
        }
    }

    /** The log start of some replica has moved. */
    void onLogStart() {
        if (!anyone) {
            return;
        }
        for (@Nullable Watcher watcher : watchers(Who.ALL)) {
            if (watcher != null) {
                watcher.onLogStart();
            }
        }
    }

    /** What is waited for may not come for long: commits whose waiters are not patient fail. */
    void onCutOff(RuntimeException reason) {
        List<Commit> failed = new ArrayList<>();
        synchronized (this) {
            for (Commit commit : commits) {
                if (!commit.patient()) {
                    failed.add(commit);
                }
            }
            commits.removeAll(failed);
            anyone = watches > 0 || !commits.isEmpty();
        }
        for (Commit commit : failed) {
            commit.done().completeExceptionally(reason);
        }
    }

    /** Nothing that waits here will come: commits fail, watchers look again. */
    void onDisturbance(RuntimeException reason) {
        List<Commit> failed;
        @Nullable Watcher[] told;
        synchronized (this) {
            failed = new ArrayList<>(commits);
            commits.clear();
            told = watchers(Who.ALL);
            anyone = watches > 0;
        }
        for (Commit commit : failed) {
            commit.done().completeExceptionally(reason);
        }
        for (@Nullable Watcher watcher : told) {
            if (watcher != null) {
                watcher.onDisturbance();
            }
        }
    }

    /** Which watchers a change is for. */
    private enum Who {
        AT_LOG_END,
        AT_HIGH_WATERMARK,
        ALL
    }

    private synchronized @Nullable Watcher[] watchers(Who who) {
        @Nullable Watcher[] all = new Watcher[watches];
        int i = 0;
        for (@Nullable Watch watch = firstWatch; watch != null; watch = watch.next) {
            if (who == Who.ALL || watch.watcher.readsToLogEnd() == (who == Who.AT_LOG_END)) {
                all[i++] = watch.watcher;
            }
        }
        return all;
    }

    /** A link of the list of watchers, so that leaving it takes no search. */
    private final class Watch implements Registration {
        private final Watcher watcher;
        private @Nullable Watch previous;
        private @Nullable Watch next;
        private boolean cancelled;

        Watch(Watcher watcher) {
            this.watcher = watcher;
        }

        @Override
        public void cancel() {
            synchronized (PendingByOffset.this) {
                if (cancelled) {
                    return;
                }
                cancelled = true;
                if (previous == null) {
                    firstWatch = next;
                } else {
                    previous.next = next;
                }
                if (next != null) {
                    next.previous = previous;
                }
                watches--;
                anyone = watches > 0 || !commits.isEmpty();
            }
        }
    }
}
