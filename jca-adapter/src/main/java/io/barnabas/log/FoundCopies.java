package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.CorruptRecordException;

/**
 * The copies of moves that an earlier process began, until the log that they are of is opened for its topic ({@code README.md}, "a move").
 * After {@link LogLoader}, which finds them; before {@link LogMover}, which goes on with them.
 *
 * <p>Safe from any thread.
 */
final class FoundCopies {
    private static final int HEADER_BYTES = 21; // base offset, size, leader epoch, magic, CRC

    /** Which of several logs of one partition has more; moves that were given up may have left copies where they could not be deleted. */
    static final Comparator<SegmentedLog> FURTHEST_FIRST = Comparator.comparing(
                    (SegmentedLog log) -> log.latestEpoch().orElse(-1))
            .thenComparing(SegmentedLog::logEndOffset)
            .reversed();

    private final Queue<Copy> copies = new ConcurrentLinkedQueue<>();

    /**
     * A copy as it was found.
     *
     * @param whole false if it may have a hole, since it was not known how far it was forced
     */
    record Copy(SegmentedLog log, boolean whole) {

        /** Whether the log is still the one that the copy was begun of, and the copy in another directory. */
        boolean isOf(SegmentedLog source) {
            Uuid id = log.topicId();
            return log.disk() != source.disk() && (id.equals(source.topicId()) || id.equals(Uuid.ZERO_UUID));
        }

        /**
         * Makes the copy what the log begins with; false if that cannot be had by cutting it. A copy is what its log began with at some
         * time. The log may have lost its end since, by a truncation or a power loss, and have written something else there, under another
         * leader epoch then: so if the copy's last batch is in the log too, everything before it is.
         */
        boolean begins(SegmentedLog source, long nowMs) {
            if (!whole || log.logStartOffset() > source.logStartOffset()) {
                return false;
            }
            try {
                if (mayLackTombstones(source, nowMs)) {
                    return false;
                }
                log.truncateTo(source.logEndOffset());
                long last = log.logEndOffset() - 1;
                if (last < source.logStartOffset()) {
                    return false;
                }
                ByteBuffer header = header(log, last);
                return header.hasRemaining() && header.equals(header(source, last));
            } catch (IOException | CorruptRecordException e) {
                return false;
            }
        }

        /** Logs are not compacted while they are moved. But one whose copy was away may have been, and lost what deletes keys of the copy. */
        private boolean mayLackTombstones(SegmentedLog source, long nowMs) throws IOException {
            LogConfig config = source.config();
            return config.compact()
                    && nowMs - log.view().active().file().lastModifiedMs() >= config.deleteRetentionMs();
        }

        private static ByteBuffer header(SegmentedLog of, long offset) throws IOException {
            ReadResult read = of.read(offset, 1, of.logEndOffset(), true, false);
            if (!(read.records() instanceof LogSlice slice)) {
                return ByteBuffer.allocate(0); // compaction took the last batches
            }
            try {
                ByteBuffer header = ByteBuffer.allocate(Math.min(HEADER_BYTES, slice.sizeInBytes()));
                while (header.hasRemaining()) {
                    if (slice.channel().read(header, slice.position() + header.position()) < 0) {
                        return ByteBuffer.allocate(0);
                    }
                }
                return header.flip();
            } finally {
                slice.release();
            }
        }
    }

    void add(SegmentedLog log, boolean whole) {
        copies.add(new Copy(log, whole));
    }

    Collection<SegmentedLog> logs() {
        return copies.stream().map(Copy::log).toList();
    }

    Set<TopicPartition> partitions() {
        return copies.stream().map(copy -> copy.log.topicPartition()).collect(Collectors.toSet());
    }

    /**
     * A copy that was about to take its log's place does, being complete: what the log has left behind names the copy's directory. A copy
     * without that says nothing of its log, which may be in a directory that is away or was lost.
     */
    void settle(LogDirectories directories) {
        for (MovedLog moved : directories.moved()) {
            for (Copy copy : directories.log(moved.partition()).isEmpty() ? take(moved.partition()) : List.<Copy>of()) {
                SegmentedLog log = copy.log();
                if (log.disk().id().equals(moved.directoryId())
                        && directories.log(moved.partition()).isEmpty()) {
                    adopt(log, directories);
                } else {
                    directories.removal().discard(log);
                }
            }
        }
    }

    private static void adopt(SegmentedLog copy, LogDirectories directories) {
        try {
            copy.folder().rename(LogFolder.name(copy.topicPartition()));
            directories.adopt(copy);
        } catch (IOException e) {
            copy.disk().broken("Completing a move of " + copy.topicPartition(), e);
        }
    }

    /** The copies of a log, which are no longer here then; the furthest first. */
    List<Copy> take(TopicPartition partition) {
        if (copies.isEmpty()) {
            return List.of(); // as nearly always, for thousands of logs
        }
        List<Copy> taken = copies.stream()
                .filter(copy -> copy.log.topicPartition().equals(partition))
                .sorted(Comparator.comparing(Copy::log, FURTHEST_FIRST))
                .toList();
        copies.removeAll(taken);
        return taken;
    }
}
