package io.barnabas.metadata.jpa;

import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.ReplayedMetadata;
import jakarta.persistence.EntityManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the entities in step with the journal: takes each committed entry and writes the rows it touches together with the position,
 * in one transaction; several entries in one if they come faster than the database writes. The entities follow the image, they never
 * lead it: nothing waits for them, {@link #lag} shows how far behind they are, and queries that must see the last change ask the image.
 *
 * <p>When the database's files are missing or damaged, are of another cluster, or are at another index than the image when this
 * begins, everything is written anew from the image, which came from the journal: no state of the database can do harm.
 *
 * <p>Before it: {@link ReplayedMetadata}, whose thread only notes what changed. Thread: opening, writing and closing are done on the
 * executor, one task at a time; {@link #read} may be called by any.
 */
public final class MetadataEntities implements ReplayedMetadata.EntryListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MetadataEntities.class);

    /** No index to compare with: what changed since the last write is all that is to be written. */
    private static final long IN_STEP = -2;
    /** An index that no database is at. */
    private static final long NEVER = -1;

    private final Path directory;
    private final Executor executor;
    private final AtomicInteger remade = new AtomicInteger();
    private final AtomicInteger rebuilt = new AtomicInteger();
    private final AtomicLong lastApplied = new AtomicLong(-1);
    private final Object pending = new Object();
    private ChangedRows changed = new ChangedRows(); // guarded by pending, as all of these
    private @Nullable MetadataImage image;
    private boolean waiting;
    private boolean unchecked; // the database has yet to be compared with the snapshot
    private long snapshotIndex;
    private boolean scheduled;
    private boolean closed;
    private boolean ended; // nothing is opened or written after that
    private volatile @Nullable EntityDatabase database; // written on the executor

    /**
     * @param directory for the database's files alone
     * @param executor runs one task at a time, some later than others that came after them, and may block
     */
    public MetadataEntities(Path directory, Executor executor) {
        this.directory = directory;
        this.executor = executor;
    }

    @Override
    public void onSnapshot(MetadataImage present) {
        synchronized (pending) {
            image = present;
            unchecked = true;
            snapshotIndex = present.index();
            changed = new ChangedRows();
            schedule();
        }
    }

    @Override
    public void onEntry(List<ApiMessage> records, MetadataImage after) {
        synchronized (pending) {
            image = after;
            changed.add(records);
            schedule();
        }
    }

    private void schedule() {
        waiting = true;
        if (!scheduled && !closed) {
            scheduled = true;
            executor.execute(this::writePending);
        }
    }

    private void writePending() {
        MetadataImage target;
        ChangedRows rows;
        long comparedWith;
        synchronized (pending) {
            scheduled = false;
            if (!waiting || ended) {
                return;
            }
            waiting = false;
            target = image;
            rows = changed;
            comparedWith = unchecked ? snapshotIndex : IN_STEP;
            changed = new ChangedRows();
            unchecked = false;
        }
        if (target == null) {
            return;
        }
        try {
            write(target, rows, comparedWith);
            lastApplied.set(target.index());
        } catch (IOException | RuntimeException e) {
            LOG.warn("The entities were not written and are rebuilt at the next change: index={}", target.index(), e);
            synchronized (pending) {
                unchecked = true;
                snapshotIndex = NEVER;
            }
        }
    }

    private void write(MetadataImage target, ChangedRows rows, long comparedWith) throws IOException {
        EntityDatabase open = database;
        try {
            if (open == null) {
                open = EntityDatabase.open(directory);
                database = open;
            }
            if (comparedWith == IN_STEP || isAt(open, target.clusterId(), comparedWith)) {
                open.write(entities -> new EntityWriter(entities, target).write(rows));
            } else {
                rebuilt.incrementAndGet();
                open.write(entities -> new EntityWriter(entities, target).writeAll());
            }
        } catch (RuntimeException e) {
            LOG.warn("The entities' database is made anew: directory={} reason={}", directory, e.toString());
            rebuild(target);
        }
    }

    /** Whether the database holds what the metadata were at this index, of this cluster. */
    private static boolean isAt(EntityDatabase open, String clusterId, long index) {
        JournalPosition position = open.read(entities -> entities.find(JournalPosition.class, JournalPosition.ID));
        if (position == null) {
            LOG.info("The entities are built: index={}", index);
            return false;
        }
        boolean same = position.clusterId().equals(clusterId) && position.lastApplied() == index;
        if (!same) {
            LOG.info(
                    "The entities are rebuilt: clusterId={} lastApplied={} journalClusterId={} journalIndex={}",
                    position.clusterId(),
                    position.lastApplied(),
                    clusterId,
                    index);
        }
        return same;
    }

    private void rebuild(MetadataImage target) throws IOException {
        remade.incrementAndGet();
        closeDatabase();
        EntityDatabase.delete(directory);
        EntityDatabase open = EntityDatabase.open(directory);
        database = open;
        open.write(entities -> new EntityWriter(entities, target).writeAll());
    }

    /** Index of the last journal entry in the entities; -1 while the database has not been opened. */
    public long lastApplied() {
        return lastApplied.get();
    }

    /** How often the database has been made anew because its files were of no use. */
    public int timesRemade() {
        return remade.get();
    }

    /** How often all rows have been written, because those in the database were of another state. */
    public int timesRebuilt() {
        return rebuilt.get();
    }

    /** Journal indexes between the image and the entities. */
    public long lag() {
        synchronized (pending) {
            return image == null ? 0 : image.index() - Math.max(0, lastApplied.get());
        }
    }

    /**
     * Runs a query on the entities.
     *
     * @throws IllegalStateException while the database is not open
     */
    public <T> T read(Function<EntityManager, T> query) {
        EntityDatabase open = database;
        if (open == null) {
            throw new IllegalStateException("The entities are not open");
        }
        return open.read(query);
    }

    /** Writes what is pending and closes the database if it is open, on the executor, which must still run. Idempotent. */
    @Override
    public void close() {
        synchronized (pending) {
            if (closed) {
                return;
            }
            closed = true;
        }
        CompletableFuture.runAsync(
                        () -> {
                            if (database != null) { // it is not opened to be closed: the next process looks where it is
                                writePending();
                            }
                            synchronized (pending) {
                                ended = true;
                            }
                            closeDatabase();
                        },
                        executor)
                .join();
    }

    private void closeDatabase() {
        EntityDatabase open = database;
        database = null;
        if (open != null) {
            open.close();
        }
    }
}
