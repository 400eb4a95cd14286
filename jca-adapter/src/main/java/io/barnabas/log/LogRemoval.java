package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of the folders of logs that are no more: at once renamed, so that no start takes them for logs, and deleted after
 * {@code file.delete.delay.ms} or left to the administrator. A deletion that did not come to pass is the next start's.
 *
 * <p>Threads: any; deletions run on the worker.
 */
final class LogRemoval {
    private static final Logger LOG = LoggerFactory.getLogger(LogRemoval.class);

    private final LogDirectories logs;
    private final LogEnvironment environment;
    private final AtomicLong uniqueNames = new AtomicLong();

    LogRemoval(LogDirectories logs, LogEnvironment environment) {
        this.logs = logs;
        this.environment = environment;
    }

    /** A folder's name that nothing in the directory has, nor had in this life of the process. */
    String name(TopicPartition partition, DiskDirectory directory, String suffix) {
        String name;
        do {
            UUID unique = new UUID(environment.clock().wallMillis(), uniqueNames.incrementAndGet());
            name = LogFolder.nameWith(partition, unique, suffix);
        } while (environment.files().exists(directory.path().resolve(name)));
        return name;
    }

    /** Takes a log's folder away: at once out of sight, after file.delete.delay.ms from the disk. */
    void discard(SegmentedLog log) {
        deleteLater(takeAway(log, LogFolder.FOLDER_DELETE));
    }

    /** Takes a log's folder away and leaves it on the disk. */
    void setAside(SegmentedLog log) {
        takeAway(log, LogFolder.FOLDER_STRAY).closeFiles();
    }

    /** A log was moved away, and its folder renamed: who still reads there may end that. */
    void leave(SegmentedLog moved) {
        logs.forget(moved);
        logs.later(moved.config().fileDeleteDelayMs(), moved::closeFiles);
    }

    /** Takes a folder away that no log uses. */
    void discard(TopicPartition partition, DiskDirectory directory, LogFolder folder) throws IOException {
        folder.rename(name(partition, directory, LogFolder.FOLDER_DELETE));
        deleteLater(directory, folder.path());
    }

    private SegmentedLog takeAway(SegmentedLog log, String suffix) {
        log.retire();
        logs.forget(log);
        if (log.disk().online()) {
            try {
                log.folder().rename(name(log.topicPartition(), log.disk(), suffix));
            } catch (IOException e) {
                throw log.disk().failed("Taking away the log of " + log.topicPartition(), e);
            }
        }
        return log;
    }

    private void deleteLater(SegmentedLog log) {
        logs.later(log.config().fileDeleteDelayMs(), () -> {
            log.closeFiles();
            deleteFolder(log.disk(), log.folder().path());
        });
    }

    /** The folder of a log that an earlier process took away. */
    void deleteLater(DiskDirectory directory, Path folder) {
        logs.later(logs.settings().defaults().fileDeleteDelayMs(), () -> deleteFolder(directory, folder));
    }

    private void deleteFolder(DiskDirectory directory, Path folder) {
        try {
            if (directory.online()) {
                environment.files().deleteTree(folder);
            }
        } catch (IOException e) {
            LOG.warn(
                    "Deleting a log's folder failed; the next start tries again: folder={} error={}",
                    folder,
                    e.toString());
        }
    }
}
