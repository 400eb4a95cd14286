package io.barnabas.log;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.kafka.common.Uuid;

/** The file {@code partition.metadata} of a log, version 0 as Kafka's: the id of its topic. */
final class PartitionMetadata {
    static final String FILE = "partition.metadata";
    private static final String TOPIC_ID = "topic_id: ";

    private PartitionMetadata() {}

    /** The topic id, or the zero id if the file is missing or damaged. */
    static Uuid read(LogFolder folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (folder.files().exists(file)) {
            String text = new String(folder.files().readAll(file), StandardCharsets.UTF_8);
            for (String line : text.split("\n", -1)) {
                if (line.startsWith(TOPIC_ID)) {
                    try {
                        return Uuid.fromString(line.substring(TOPIC_ID.length()).trim());
                    } catch (IllegalArgumentException e) {
                        return Uuid.ZERO_UUID;
                    }
                }
            }
        }
        return Uuid.ZERO_UUID;
    }

    static void write(LogFolder folder, Uuid topicId) throws IOException {
        // not forced: if a power loss takes it, the folder is adopted by its topic again, and a thousand partitions are
        // made quickly
        Path temporary = folder.resolve(FILE + ".tmp");
        byte[] content = ("version: 0\n" + TOPIC_ID + topicId).getBytes(StandardCharsets.UTF_8);
        folder.files().write(temporary, content, false);
        folder.files().rename(temporary, folder.resolve(FILE));
    }
}
