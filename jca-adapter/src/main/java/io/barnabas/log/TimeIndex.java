package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sparse map from time to offset, in Kafka's layout: timestamp i64, relative offset i32. An entry (t, o) says that no record up to o is
 * later than t. 12 bytes an entry, timestamps strictly rising.
 *
 * <p>Threads: any. Each method takes the file's monitor; appends and truncations come one at a time, under the segment's.
 */
final class TimeIndex {
    static final int ENTRY_SIZE = 12;

    private final IndexFile file;
    private final long baseOffset;

    TimeIndex(LogFolder folder, long baseOffset, String suffix) {
        this.file =
                new IndexFile(folder, LogFolder.fileName(baseOffset, LogFolder.TIME_INDEX) + suffix, ENTRY_SIZE, true);
        this.baseOffset = baseOffset;
    }

    IndexFile file() {
        return file;
    }

    /** Appends unless the last entry is as late already. */
    void maybeAppend(long timestamp, long offset) throws IOException {
        synchronized (file) {
            if (timestamp <= last().timestamp()) {
                return;
            }
            ByteBuffer buffer = file.add();
            int at = file.at(file.count() - 1);
            buffer.putLong(at, timestamp);
            buffer.putInt(at + 8, (int) (offset - baseOffset));
        }
    }

    /** The last entry; (-1, base offset) if there is none. */
    Entry last() throws IOException {
        synchronized (file) {
            int n = file.count();
            return n == 0 ? new Entry(-1, baseOffset) : entry(n - 1);
        }
    }

    /** The last entry whose timestamp is below {@code timestamp}: the search for that time may begin behind it. */
    Entry lower(long timestamp) throws IOException {
        synchronized (file) {
            int slot = slotBelow(timestamp);
            return slot < 0 ? new Entry(-1, baseOffset) : entry(slot);
        }
    }

    /** Drops the entries from {@code offset} on. */
    void truncateTo(long offset) throws IOException {
        synchronized (file) {
            int n = file.count();
            while (n > 0 && entry(n - 1).offset() >= offset) {
                n--;
            }
            file.truncate(n);
        }
    }

    private Entry entry(int slot) throws IOException {
        ByteBuffer buffer = file.buffer(slot);
        int at = file.at(slot);
        return new Entry(buffer.getLong(at), baseOffset + buffer.getInt(at + 8));
    }

    private int slotBelow(long timestamp) throws IOException {
        int low = 0;
        int high = file.count() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            ByteBuffer buffer = file.buffer(middle);
            if (buffer.getLong(file.at(middle)) < timestamp) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /** The greatest timestamp so far and the last offset of the batch that has it. */
    record Entry(long timestamp, long offset) {}
}
