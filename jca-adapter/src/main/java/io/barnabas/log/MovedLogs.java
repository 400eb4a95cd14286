package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The folders that moved logs have left behind, until the metadata have been told where the logs are ({@code README.md}, "a move"). Their
 * names say where: a start that finds such a folder and no log knows that it is not to begin one. At most one of each partition, since
 * a log is not moved again before.
 *
 * <p>Safe from any thread.
 */
final class MovedLogs {
    private final LogRemoval removal;
    private final LogEnvironment environment;
    private final Map<TopicPartition, Left> left = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Left> going = new ConcurrentHashMap<>();

    private record Left(MovedLog moved, DiskDirectory disk, LogFolder folder) {}

    MovedLogs(LogRemoval removal, LogEnvironment environment) {
        this.removal = removal;
        this.environment = environment;
    }

    /** The log's folder bears the name of what moved away, for good. */
    void add(SegmentedLog source, SegmentedLog moved) {
        MovedLog to = new MovedLog(
                source.topicPartition(), source.topicId(), moved.disk().id());
        left.put(to.partition(), new Left(to, source.disk(), source.folder()));
    }

    /** A start has found this folder. Nothing, if its name is not what such a folder is called. */
    void found(DiskDirectory disk, Path path) {
        LogFolder folder = new LogFolder(environment.files(), path);
        try {
            LogFolder.movedOf(path.getFileName().toString(), PartitionMetadata.read(folder))
                    .ifPresent(moved -> left.put(moved.partition(), new Left(moved, disk, folder)));
        } catch (IOException e) {
            disk.broken("Loading " + path.getFileName(), e);
        }
    }

    Collection<MovedLog> all() {
        return left.isEmpty()
                ? List.of()
                : left.values().stream().map(Left::moved).toList();
    }

    /** True until the folder is renamed, lest another of that name be in its way. */
    boolean contains(TopicPartition partition) {
        return left.containsKey(partition) || going.containsKey(partition);
    }

    /** What the log of the partition has left behind says nothing any more and goes, on the worker. */
    void forget(TopicPartition partition) {
        @Nullable Left one = left.remove(partition);
        if (one != null) {
            going.put(partition, one);
            environment.threads().worker().execute(() -> discard(one));
        }
    }

    private void discard(Left one) {
        TopicPartition partition = one.moved.partition();
        try {
            if (one.disk.online()) {
                removal.discard(partition, one.disk, one.folder);
            }
            going.remove(partition, one);
        } catch (IOException e) {
            throw one.disk.failed("Taking away what a moved log has left behind, " + partition, e);
        }
    }
}
