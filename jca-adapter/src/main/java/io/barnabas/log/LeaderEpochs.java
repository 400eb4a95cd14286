package io.barnabas.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Where each leader epoch begins (KIP-101), kept in {@code leader-epoch-checkpoint} in Kafka's form.
 *
 * <p>Threads: changed under the log's lock; read by any thread through one immutable table.
 */
final class LeaderEpochs {
    static final String FILE = "leader-epoch-checkpoint";
    private static final int VERSION = 0;

    private final LogFolder folder;
    private volatile Table table = new Table(new int[0], new long[0]);

    LeaderEpochs(LogFolder folder) {
        this.folder = folder;
    }

    /** Reads the file; returns false if it is damaged: what is not in it is then learned from the batches. */
    boolean load() throws IOException {
        Path path = folder.resolve(FILE);
        if (!folder.files().exists(path)) {
            return true;
        }
        var lines = CheckpointText.decode(folder.files().readAll(path), VERSION, 2);
        if (lines.isEmpty()) {
            return false;
        }
        Table read = new Table(new int[0], new long[0]);
        for (String[] fields : lines.get()) {
            try {
                int epoch = Integer.parseInt(fields[0]);
                long start = Long.parseLong(fields[1]);
                if (epoch < 0 || start < 0) {
                    return false;
                }
                read = read.with(epoch, start);
            } catch (NumberFormatException e) {
                return false;
            }
        }
        table = read;
        return true;
    }

    /** Records where an epoch begins, forced; an epoch that is known already changes nothing. */
    void assign(int epoch, long startOffset) throws IOException {
        Table present = table;
        if (!present.isNews(epoch, startOffset)) {
            return;
        }
        Table next = present.with(epoch, startOffset);
        write(next);
        table = next;
    }

    /** As {@link #assign}, without the file: recovery writes it once at its end. */
    void learn(int epoch, long startOffset) {
        Table present = table;
        if (epoch >= 0 && (present.size() == 0 || epoch > present.latest())) {
            table = present.with(epoch, startOffset);
        }
    }

    boolean isNews(int epoch, long startOffset) {
        return table.isNews(epoch, startOffset);
    }

    /** Forgets epochs that begin at or after {@code endOffset}; the file may lag, recovery cuts it again. */
    void truncateFromEnd(long endOffset) throws IOException {
        Table present = table;
        int keep = present.size();
        while (keep > 0 && present.starts[keep - 1] >= endOffset) {
            keep--;
        }
        if (keep < present.size()) {
            cut(new Table(Arrays.copyOf(present.epochs, keep), Arrays.copyOf(present.starts, keep)));
        }
    }

    /** Forgets epochs that end at or before {@code startOffset}; the one that holds it begins there now. */
    void truncateFromStart(long startOffset) throws IOException {
        Table present = table;
        int drop = 0;
        while (drop < present.size() && present.starts[drop] <= startOffset) {
            drop++;
        }
        if (drop == 0 || (drop == 1 && present.starts[0] == startOffset)) {
            return;
        }
        int[] epochs = Arrays.copyOfRange(present.epochs, drop - 1, present.size());
        long[] starts = Arrays.copyOfRange(present.starts, drop - 1, present.size());
        starts[0] = startOffset;
        cut(new Table(epochs, starts));
    }

    void clear() throws IOException {
        cut(new Table(new int[0], new long[0]));
    }

    /** A file that still has the entries which were cut does no harm: recovery cuts it again. So a full disk does not stop this. */
    private void cut(Table next) throws IOException {
        table = next;
        try {
            write(next);
        } catch (IOException e) {
            if (!IoFailures.isTransient(e)) {
                throw e;
            }
        }
    }

    void write() throws IOException {
        write(table);
    }

    private void write(Table content) throws IOException {
        String[] lines = new String[content.size()];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = content.epochs[i] + " " + content.starts[i];
        }
        folder.files().replace(folder.resolve(FILE), CheckpointText.encode(VERSION, List.of(lines)));
    }

    OptionalInt latest() {
        Table present = table;
        return present.size() == 0 ? OptionalInt.empty() : OptionalInt.of(present.latest());
    }

    /** The epoch of the record at {@code offset}. */
    OptionalInt at(long offset) {
        Table present = table;
        int i = present.size() - 1;
        while (i >= 0 && present.starts[i] > offset) {
            i--;
        }
        return i < 0 ? OptionalInt.empty() : OptionalInt.of(present.epochs[i]);
    }

    /** KIP-101/279: the largest known epoch at most {@code epoch}, and where it ends. */
    PartitionLog.EpochEnd endOffsetFor(int epoch, long logEndOffset) {
        Table present = table;
        int n = present.size();
        if (epoch < 0 || n == 0 || epoch > present.latest()) {
            return new PartitionLog.EpochEnd(-1, -1);
        }
        if (epoch == present.latest()) {
            return new PartitionLog.EpochEnd(epoch, logEndOffset);
        }
        int higher = 0;
        while (present.epochs[higher] <= epoch) {
            higher++;
        }
        // below the first known epoch the data is gone: its start is the end of all that was before
        int answered = higher == 0 ? epoch : present.epochs[higher - 1];
        return new PartitionLog.EpochEnd(answered, present.starts[higher]);
    }

    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    private record Table(int[] epochs, long[] starts) {
        int size() {
            return epochs.length;
        }

        int latest() {
            return epochs[epochs.length - 1];
        }

        boolean isNews(int epoch, long start) {
            int n = size();
            return n == 0 || epoch != epochs[n - 1] || start < starts[n - 1];
        }

        /** With an epoch added; entries that contradict it are dropped. */
        Table with(int epoch, long start) {
            int keep = size();
            while (keep > 0 && (epochs[keep - 1] >= epoch || starts[keep - 1] >= start)) {
                keep--;
            }
            int[] newEpochs = Arrays.copyOf(epochs, keep + 1);
            long[] newStarts = Arrays.copyOf(starts, keep + 1);
            newEpochs[keep] = epoch;
            newStarts[keep] = start;
            return new Table(newEpochs, newStarts);
        }
    }
}
