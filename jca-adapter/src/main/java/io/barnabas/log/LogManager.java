package io.barnabas.log;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** Opens, recovers, cleans, flushes and closes every log of the data directories. Safe from any thread. */
public interface LogManager {
    List<DataDirectory> directories();

    /** Logs that are there, by partition; "future" logs of a move between directories are not among them. */
    Collection<PartitionLog> logs();

    Optional<PartitionLog> log(TopicPartition partition);

    /**
     * The log of a partition, made if it is not there.
     *
     * @param directory where a new one goes; null means the online directory with the fewest partitions
     */
    PartitionLog openOrCreate(
            TopicPartition partition, Uuid topicId, LogConfig config, @Nullable DataDirectory directory)
            throws IOException;

    /** Takes the log away at once and deletes its files after file.delete.delay.ms. */
    void delete(TopicPartition partition);

    /** Takes the log away at once and leaves its files to the administrator, in a folder whose name ends in {@code -stray}. */
    void setAside(TopicPartition partition);

    /** True if the folder of a copy under way can bear the partition's name; a longer name would be cut and not be found again. */
    static boolean isMovable(TopicPartition partition) {
        return LogFolder.isNameable(partition, LogFolder.FOLDER_FUTURE);
    }

    /**
     * Where a log that is not there yet is to be made, unless its maker names a directory. The wish ends when the log is made or the
     * process ends; of too many wishes the oldest is forgotten.
     */
    void prefer(TopicPartition partition, DataDirectory directory);

    /**
     * AlterReplicaLogDirs: copies the log to {@code target} beside the appends and swaps when the copy has caught up; completes after the
     * swap. The present directory as the target gives up a move that is under way.
     *
     * @throws org.apache.kafka.common.errors.InvalidTopicException if the partition is not {@link #isMovable}
     */
    CompletableFuture<PartitionLog> move(TopicPartition partition, DataDirectory target);

    /** Moves copy no more than this from now on, all of them together; asked at each turn. */
    void boundMoves(LongSupplier bytesPerSecond);

    /** The future logs of moves under way, and of interrupted ones that go on when their log is opened, for DescribeLogDirs. */
    Collection<PartitionLog> futureLogs();

    /** Logs that compaction has set aside until the next start, each with the reason: a console should show them. */
    default Map<TopicPartition, String> uncleanable() {
        return Map.of();
    }

    /**
     * Writes the high watermarks of all logs, if they have changed, for the next start ({@code replication-offset-checkpoint}). An orderly
     * end writes them too. Touches files.
     */
    void checkpointHighWatermarks();

    /** Called, on a thread of the log, when a data directory fails. */
    void onDirectoryFailure(Consumer<DataDirectory> listener);

    /**
     * Called, with the log and what is known of it, for each log of which records are damaged, once, those known before too. On any thread,
     * perhaps under the log's lock: the listener never waits.
     */
    default void onDamage(BiConsumer<PartitionLog, String> listener) {}

    /** Called, with the log, when the set or the identity of logs changes by a {@link #move}. */
    void onMoved(Consumer<PartitionLog> listener);

    /** Called, with the log, when a {@link #move} can no longer be undone by a crash: from now on the log is in its directory alone. */
    void onSettled(Consumer<PartitionLog> listener);

    /**
     * Logs that were moved, as long as what they have left behind is there: until {@link #onMoveRecorded}. One that is not among {@link
     * #logs} is in a directory that is away, and must not be begun elsewhere.
     */
    default Collection<MovedLog> moved() {
        return List.of();
    }

    /** The metadata know where the partition's log was moved: what it has left behind goes, and it may be moved again. Does not wait. */
    default void onMoveRecorded(TopicPartition partition) {}

    /** Changes cluster-wide dynamic settings. */
    void reconfigure(LogManagerSettings settings);
}
