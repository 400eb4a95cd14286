package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * The folder of one log and the names in it, as Kafka gives them. A move or a deletion renames the folder while its files are in use, so
 * files ask it for their paths.
 */
final class LogFolder {
    static final String LOG = ".log";
    static final String INDEX = ".index";
    static final String TIME_INDEX = ".timeindex";
    static final String TXN_INDEX = ".txnindex";
    static final String SNAPSHOT = ".snapshot";
    static final String DELETED = ".deleted";
    static final String CLEANED = ".cleaned";
    static final String SWAP = ".swap";
    static final String FOLDER_DELETE = "-delete";
    static final String FOLDER_FUTURE = "-future";
    static final String FOLDER_STRAY = "-stray";
    static final String FOLDER_MOVED = "-moved";
    private static final int NAME_LENGTH_MAX = 255;
    private static final int UNIQUE_LENGTH = 32;
    private static final int OFFSET_DIGITS = 20;

    private final FileStore files;
    private volatile Path path;

    LogFolder(FileStore files, Path path) {
        this.files = files;
        this.path = path;
    }

    FileStore files() {
        return files;
    }

    Path path() {
        return path;
    }

    /** Whether it bears the name of a copy, not that of its log. */
    boolean isFuture() {
        return path.getFileName().toString().endsWith(FOLDER_FUTURE);
    }

    Path resolve(String name) {
        return path.resolve(name);
    }

    /** Renames the folder beside itself, so that a power loss does not undo it. */
    void rename(String name) throws IOException {
        move(name);
        Path parent = path.getParent();
        if (parent != null) {
            files.syncDirectory(parent);
        }
    }

    /** Renames the folder beside itself; a power loss may undo it until the directory is synced. */
    void move(String name) throws IOException {
        Path target = path.resolveSibling(name);
        files.rename(path, target);
        path = target;
    }

    /** A file's name: 20 digits of the segment's base offset and what the file is. */
    static String fileName(long baseOffset, String kind) {
        String digits = Long.toString(baseOffset);
        return "0".repeat(OFFSET_DIGITS - digits.length()) + digits + kind;
    }

    /** The base offset in a file's name, or -1 if it has none. */
    static long offsetOf(String name) {
        if (name.length() <= OFFSET_DIGITS || name.charAt(OFFSET_DIGITS) != '.') {
            return -1;
        }
        long offset = 0;
        for (int i = 0; i < OFFSET_DIGITS; i++) {
            int digit = name.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            offset = offset * 10 + digit;
        }
        return offset;
    }

    static String name(TopicPartition partition) {
        return partition.topic() + "-" + partition.partition();
    }

    /** True if {@link #nameWith} does not have to cut the topic's name. */
    static boolean isNameable(TopicPartition partition, String suffix) {
        int unique = 1 + UNIQUE_LENGTH + suffix.length(); // a dot before it
        return name(partition).length() + unique <= NAME_LENGTH_MAX;
    }

    /** {@code topic-partition.unique-suffix}, cut to the longest name of a file system. */
    static String nameWith(TopicPartition partition, UUID unique, String suffix) {
        String tail = "-" + partition.partition() + "." + unique.toString().replace("-", "") + suffix;
        int most = Math.min(partition.topic().length(), NAME_LENGTH_MAX - tail.length());
        return partition.topic().substring(0, most) + tail;
    }

    /** {@code topic-partition.directory-moved}: what a log leaves behind that goes to that directory. */
    static String nameMoved(TopicPartition partition, Uuid directoryId) {
        UUID directory = new UUID(directoryId.getMostSignificantBits(), directoryId.getLeastSignificantBits());
        return nameWith(partition, directory, FOLDER_MOVED);
    }

    /** What {@link #nameMoved} says. */
    static Optional<MovedLog> movedOf(String folderName, Uuid topicId) {
        int end = folderName.length() - FOLDER_MOVED.length();
        int dot = end - 1 - UNIQUE_LENGTH;
        if (dot < 0 || folderName.charAt(dot) != '.' || !folderName.endsWith(FOLDER_MOVED)) {
            return Optional.empty();
        }
        try {
            long most = Long.parseUnsignedLong(folderName, dot + 1, dot + 1 + UNIQUE_LENGTH / 2, 16);
            long least = Long.parseUnsignedLong(folderName, dot + 1 + UNIQUE_LENGTH / 2, end, 16);
            return partitionOf(folderName.substring(0, dot))
                    .map(partition -> new MovedLog(partition, topicId, new Uuid(most, least)));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The partition a folder's name tells, if it is a log's (a future one's too). */
    static Optional<TopicPartition> partitionOf(String folderName) {
        String name = folderName;
        if (name.endsWith(FOLDER_FUTURE)) {
            int dot = name.lastIndexOf('.');
            if (dot < 0) {
                return Optional.empty();
            }
            name = name.substring(0, dot);
        }
        int dash = name.lastIndexOf('-');
        if (dash <= 0 || dash == name.length() - 1 || name.length() - dash > 11) {
            return Optional.empty();
        }
        for (int i = dash + 1; i < name.length(); i++) {
            if (!Character.isDigit(name.charAt(i))) {
                return Optional.empty();
            }
        }
        long partition = Long.parseLong(name.substring(dash + 1));
        return partition > Integer.MAX_VALUE
                ? Optional.empty()
                : Optional.of(new TopicPartition(name.substring(0, dash), (int) partition));
    }
}
