package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far each log of a data directory is compacted, in Kafka's file {@code cleaner-offset-checkpoint}. If it is damaged or missing,
 * everything counts as dirty and is compacted again, which is work but no harm. Guarded by its monitor.
 */
final class CleanerCheckpoint {
    static final String FILE = "cleaner-offset-checkpoint";

    private static final Logger LOG = LoggerFactory.getLogger(CleanerCheckpoint.class);
    private static final int VERSION = 0;
    private static final int FIELDS = 3;

    private final FileStore files;
    private final Path file;
    private final Map<String, Long> offsets = new TreeMap<>();

    CleanerCheckpoint(FileStore files, Path directory) throws IOException {
        this.files = files;
        this.file = directory.resolve(FILE);
        if (files.exists(file)) {
            CheckpointText.decode(files.readAll(file), VERSION, FIELDS)
                    .ifPresentOrElse(this::take, () -> LOG.warn("Damaged checkpoint, all is dirty: file={}", file));
        }
    }

    private void take(List<String[]> entries) {
        try {
            entries.forEach(entry -> offsets.put(entry[0] + ' ' + entry[1], Long.parseLong(entry[2])));
        } catch (NumberFormatException e) {
            offsets.clear();
            LOG.warn("Damaged checkpoint, all is dirty: file={}", file);
        }
    }

    /** The first offset that was not compacted, or -1. */
    synchronized long get(TopicPartition partition) {
        return offsets.getOrDefault(key(partition), -1L);
    }

    synchronized void put(TopicPartition partition, long offset) throws IOException {
        Long before = offsets.put(key(partition), offset);
        if (before == null || before != offset) {
            write();
        }
    }

    synchronized void remove(TopicPartition partition) throws IOException {
        if (offsets.remove(key(partition)) != null) {
            write();
        }
    }

    private void write() throws IOException {
        List<String> lines = new ArrayList<>(offsets.size());
        offsets.forEach((partition, offset) -> lines.add(partition + ' ' + offset));
        files.replace(file, CheckpointText.encode(VERSION, lines));
    }

    private static String key(TopicPartition partition) {
        return partition.topic() + ' ' + partition.partition();
    }
}
