package io.barnabas.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes the set of a log's segments on the disk in the orders that recovery relies on (README). Under the log's lock, but for
 * {@link #force}.
 */
final class SegmentStore {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentStore.class);
    private final SegmentedLog.LogParts parts;
    private final Set<Segment> entered = new HashSet<>(); // their folder entry is forced; guarded by the flush lock

    SegmentStore(SegmentedLog.LogParts parts) {
        this.parts = parts;
    }

    /**
     * Forces what may not be forced yet below the view's end. Of the active segment only the batches: recovery reads the segment of the
     * recovery point, or that ends there, from its beginning and makes its indexes anew.
     */
    void force(LogView view, long from) throws IOException {
        Segment[] all = view.segments();
        List<Segment> fresh = new ArrayList<>();
        for (int i = view.floor(from - 1); i < all.length; i++) {
            if (i < all.length - 1) {
                all[i].force();
            } else {
                all[i].file().force();
            }
            if (!entered.contains(all[i])) {
                fresh.add(all[i]);
            }
        }
        if (!fresh.isEmpty()) {
            if (entered.isEmpty()) {
                parts.folder().files().syncDirectory(parts.directory().path()); // the folder's own entry
            }
            parts.folder().files().syncDirectory(parts.folder().path());
            entered.addAll(fresh); // not before, or the next force would pass over what this one could not do
            entered.retainAll(List.of(all));
        }
    }

    /** Where a truncation to {@code offset} cuts: before the batch that holds it, which a follower fetches again. */
    long cutBefore(LogView view, long offset) throws IOException {
        Segment.Place place = view.segments()[view.floor(offset - 1)].find(offset);
        return place == null ? offset : Math.min(offset, place.baseOffset());
    }

    /** Drops every segment that begins at or behind {@code offset}, last first, and the tail of the one before; forces what is left. */
    LogView truncated(LogView view, long offset) throws IOException {
        Segment[] all = view.segments();
        int keep = all.length;
        while (keep > 1 && all[keep - 1].baseOffset() >= offset) {
            keep--;
            all[keep].delete();
        }
        if (keep < all.length) {
            // or a crash could bring back a segment behind the cut, with a hole before it
            parts.folder().files().syncDirectory(parts.folder().path());
        }
        Segment last = all[keep - 1];
        last.truncateTo(offset);
        last.force();
        return new LogView(java.util.Arrays.copyOf(all, keep), offset, last.size());
    }

    /**
     * Makes the next segment. Where that fails half way its file goes again: the log may go on in the segment before, and a start would
     * take the file for the place of what is written there.
     */
    Segment begun(long baseOffset, LogConfig config) throws IOException {
        try {
            return Segment.create(
                    parts.folder(),
                    baseOffset,
                    "",
                    config,
                    parts.environment().clock().wallMillis());
        } catch (IOException e) {
            try {
                parts.folder()
                        .files()
                        .deleteIfExists(parts.folder().resolve(LogFolder.fileName(baseOffset, LogFolder.LOG)));
            } catch (IOException left) {
                left.addSuppressed(e);
                throw parts.directory().broken("Removing a segment that was not begun of " + parts.partition(), left);
            }
            throw e;
        }
    }

    /** Deletes all segments, last first, and makes an empty one. */
    Segment restart(LogView view, long offset, LogConfig config) throws IOException {
        Segment[] all = view.segments();
        for (int i = all.length - 1; i >= 0; i--) {
            all[i].delete();
        }
        return Segment.create(
                parts.folder(), offset, "", config, parts.environment().clock().wallMillis());
    }

    LogView without(LogView view, List<Segment> gone) {
        List<Segment> left = new ArrayList<>(List.of(view.segments()));
        left.removeAll(gone);
        return view.withSegments(left.toArray(new Segment[0]));
    }

    LogView replaced(LogView view, List<Segment> old, Segment next) throws IOException {
        List<Segment> left = new ArrayList<>(List.of(view.segments()));
        left.removeAll(old);
        left.add(next);
        for (Segment each : old) {
            each.delete();
        }
        return new LogView(left.toArray(new Segment[0]), view.endOffset(), 0);
    }

    /** Renames segments to {@code .deleted}, first to last, and deletes them after a while. */
    void deleteLater(List<Segment> gone, long delayMs) throws IOException {
        for (Segment each : gone) {
            each.changeSuffix(LogFolder.DELETED);
        }
        parts.owner().later(delayMs, () -> gone.forEach(this::deleteQuietly));
    }

    private void deleteQuietly(Segment segment) {
        try {
            segment.delete();
        } catch (IOException e) {
            LOG.warn(
                    "Deleting a segment failed; the next start deletes it: segment={} error={}", segment, e.toString());
        }
    }

    /**
     * Puts cleaned segments, which are sealed and forced, in the place of old ones: names all {@code .swap} (last first), from which
     * moment they count, takes the old ones away, and gives the new ones their names.
     */
    LogView swap(LogView view, List<Segment> cleaned, List<Segment> old, long delayMs) throws IOException {
        for (int i = cleaned.size() - 1; i >= 0; i--) {
            cleaned.get(i).changeSuffix(LogFolder.SWAP);
        }
        parts.folder().files().syncDirectory(parts.folder().path());
        List<Segment> all = new ArrayList<>(List.of(view.segments()));
        all.removeAll(old);
        all.addAll(cleaned);
        all.sort(Comparator.comparingLong(Segment::baseOffset));
        deleteLater(old, delayMs);
        for (Segment each : cleaned) {
            each.changeSuffix("");
        }
        parts.folder().files().syncDirectory(parts.folder().path());
        return view.withSegments(all.toArray(new Segment[0]));
    }

    /**
     * Tells the producers of the batches from where their state ends to the log's end.
     *
     * @throws DamagedSegmentException if some of them are damaged; the producers know of the others
     */
    void replay(LogView view, ProducerStates producers) throws IOException {
        if (producers.endOffset() >= view.endOffset()) {
            return;
        }
        DamagedSegmentException damage = null;
        for (int i = view.floor(producers.endOffset()); i < view.segments().length; i++) {
            try {
                replay(view.segments()[i], view.limitOf(i), producers);
            } catch (DamagedSegmentException e) {
                damage = e;
            }
        }
        if (damage != null) {
            throw damage;
        }
    }

    static void replay(Segment segment, int limit, ProducerStates producers) throws IOException {
        Segment.Place place = segment.find(producers.endOffset());
        if (place == null) {
            return;
        }
        BatchCursor cursor = BatchCursor.scan(segment.file(), place.position(), limit);
        while (cursor.next()) {
            if (BatchHeader.isControl(cursor.header(), cursor.at())) {
                producers.apply(cursor.copy(), 0);
            } else {
                producers.apply(cursor.header(), cursor.at());
            }
        }
        if (cursor.fault() != null) {
            throw new DamagedSegmentException(segment, cursor);
        }
    }

    void closeQuietly(LogView view) {
        for (Segment each : view.segments()) {
            try {
                each.close();
            } catch (IOException e) {
                LOG.warn("Closing a segment failed: segment={} error={}", each, e.toString());
            }
        }
    }
}
