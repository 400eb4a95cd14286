package io.barnabas.log;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshot files of a log's producers: one where each segment begins, and the newest. {@link ProducerStates} writes and reads them;
 * who takes segments away deletes theirs.
 *
 * <p>Guarded by the log's lock, except {@link #force}.
 */
final class SnapshotFiles {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotFiles.class);

    private final TopicPartition partition;
    private final LogFolder folder;
    private final TreeSet<Long> offsets = new TreeSet<>();

    SnapshotFiles(TopicPartition partition, LogFolder folder) {
        this.partition = partition;
        this.folder = folder;
    }

    /** The producers at an offset. */
    record Found(long offset, List<ProducerSnapshot.Entry> entries) {}

    /** Learns which files there are. */
    void found(long offset) {
        offsets.add(offset);
    }

    /** The offset of the newest, whole or not; -1 if there is none. */
    long last() {
        return offsets.isEmpty() ? -1 : offsets.last();
    }

    boolean contains(long offset) {
        return offsets.contains(offset);
    }

    /** The newest whole one at or below {@code offset}; damaged ones are deleted. */
    @Nullable
    Found newestUpTo(long offset) throws IOException {
        for (Long at = offsets.floor(offset); at != null; at = offsets.floor(offset)) {
            Optional<List<ProducerSnapshot.Entry>> entries =
                    ProducerSnapshot.decode(folder.files().readAll(path(at)));
            if (entries.isPresent()) {
                return new Found(at, entries.get());
            }
            LOG.warn("Deleting a damaged producer snapshot: partition={} offset={}", partition, at);
            delete(at);
        }
        return null;
    }

    /** Writes one; it is forced with the next flush. */
    void write(long offset, List<ProducerSnapshot.Entry> entries) throws IOException {
        Path temporary = folder.resolve(LogFolder.fileName(offset, LogFolder.SNAPSHOT) + ".tmp");
        folder.files().write(temporary, ProducerSnapshot.encode(entries), false);
        folder.files().rename(temporary, path(offset));
        offsets.add(offset);
    }

    void deleteAll() throws IOException {
        for (Long each : List.copyOf(offsets)) {
            delete(each);
        }
    }

    /** Deletes those behind {@code offset}; false if there are none. */
    boolean deleteAbove(long offset) throws IOException {
        List<Long> above = List.copyOf(offsets.tailSet(offset, false));
        for (Long later : above) {
            delete(later);
        }
        return !above.isEmpty();
    }

    /** Deletes those that belong to deleted segments; the newest is kept. */
    void deleteBelow(long offset) throws IOException {
        for (Long earlier : List.copyOf(offsets.headSet(offset))) {
            delete(earlier);
        }
    }

    /** Deletes those of segments that were put together into others: where none begins any more, none is looked for. */
    void deleteWithin(List<Segment> old, List<Segment> cleaned) throws IOException {
        for (Segment each : old) {
            boolean begins = cleaned.stream().anyMatch(one -> one.baseOffset() == each.baseOffset());
            if (!begins && offsets.contains(each.baseOffset())) {
                delete(each.baseOffset());
            }
        }
    }

    /** Deletes others than those of segments and the newest. */
    void deleteStrays(Set<Long> baseOffsets) throws IOException {
        for (Long each : List.copyOf(offsets)) {
            if (!baseOffsets.contains(each) && !each.equals(offsets.last())) {
                delete(each);
            }
        }
    }

    /** Those at or behind {@code offset}. */
    List<Long> from(long offset) {
        return List.copyOf(offsets.tailSet(offset));
    }

    /** Forces files; takes no lock. One that was deleted meanwhile needs no force. */
    void force(List<Long> which) throws IOException {
        for (Long each : which) {
            if (folder.files().exists(path(each))) {
                try (var channel = folder.files().open(path(each), false)) {
                    channel.force(false);
                } catch (NoSuchFileException e) {
                    LOG.debug("A snapshot was deleted before it was forced: partition={} offset={}", partition, each);
                }
            }
        }
    }

    private void delete(long offset) throws IOException {
        folder.files().deleteIfExists(path(offset));
        offsets.remove(offset);
    }

    private Path path(long offset) {
        return folder.resolve(LogFolder.fileName(offset, LogFolder.SNAPSHOT));
    }
}
