package io.barnabas.system.cluster;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a bad disk does to the files of a node that does not run: a bit is another, or the end of a file is missing. Each time another kind
 * of file, and of that kind any. Used by one thread.
 */
final class Damage {
    /** Kinds of files by their place below the data directory, of both products. */
    private enum Kind {
        SEGMENT("(?!__cluster_metadata)[^/]+-\\d+/\\d+\\.log"),
        OFFSET_INDEX("[^/]+-\\d+/\\d+\\.index"),
        TIME_INDEX("[^/]+-\\d+/\\d+\\.timeindex"),
        TRANSACTION_INDEX("[^/]+-\\d+/\\d+\\.txnindex"),
        PRODUCERS("[^/]+-\\d+/\\d+\\.snapshot"),
        EPOCHS("[^/]+-\\d+/leader-epoch-checkpoint"),
        PARTITION("[^/]+-\\d+/partition\\.metadata"),
        RECOVERY_POINTS("recovery-point-offset-checkpoint"),
        LOG_STARTS("log-start-offset-checkpoint"),
        HIGH_WATERMARKS("replication-offset-checkpoint"),
        IDENTITY("meta\\.properties"),
        VOTER("metadata/meta\\.properties"),
        CLEAN_MARK("\\.kafka_cleanshutdown"),
        JOURNAL("metadata/raft/.*/log_.*|__cluster_metadata-0/\\d+\\.log"),
        JOURNAL_SNAPSHOT("metadata/raft/.*/sm/.*|__cluster_metadata-0/.*\\.checkpoint"),
        JOURNAL_STATE("metadata/raft/.*/raft-meta.*|__cluster_metadata-0/quorum-state"),
        DATABASE("metadata/entities/.*");

        private final Pattern place;

        Kind(String place) {
            this.place = Pattern.compile(place);
        }
    }

    private enum Way {
        FLIPPED,
        CUT
    }

    /** Kinds of files times ways to damage them. */
    static final int ALL = Kind.values().length * Way.values().length;

    private final Random random;
    private int turn = Integer.getInteger("cluster.damage.first", 0);

    /** @param seed says which file and where in it */
    Damage(long seed) {
        random = new Random(seed);
    }

    /**
     * Does the next thing that there is a file for.
     *
     * @param node does not run
     * @return what it was
     */
    String next(Node node) throws IOException {
        while (true) {
            Kind kind = Kind.values()[turn / Way.values().length % Kind.values().length];
            Way way = Way.values()[turn % Way.values().length];
            turn++;
            List<Path> files = files(node, kind);
            if (!files.isEmpty()) {
                Path file = files.get(random.nextInt(files.size()));
                return way + " " + node.place().data().relativize(file) + " "
                        + (way == Way.CUT ? cut(file) : flip(file));
            }
        }
    }

    private static List<Path> files(Node node, Kind kind) throws IOException {
        Path data = node.place().data();
        List<Path> found = new ArrayList<>();
        try (Stream<Path> all = Files.walk(data)) {
            for (Path each : all.filter(Files::isRegularFile).sorted().toList()) {
                if (kind.place.matcher(data.relativize(each).toString()).matches() && Files.size(each) > 0) {
                    found.add(each);
                }
            }
        }
        return found;
    }

    private String flip(Path path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            long at = random.nextLong(file.length());
            file.seek(at);
            int was = file.read();
            file.seek(at);
            file.write(was ^ 1 << random.nextInt(Byte.SIZE));
            return "at " + at + " of " + file.length();
        }
    }

    private String cut(Path path) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            long from = file.length();
            file.setLength(random.nextLong(from));
            return "from " + from + " to " + file.length();
        }
    }
}
