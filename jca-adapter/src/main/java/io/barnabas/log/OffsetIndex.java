package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Sparse map from offset to file position, in Kafka's layout: relative offset i32 (the <em>last</em> offset of a batch), position i32
 * (where that batch begins). 8 bytes an entry, rising in both.
 *
 * <p>Threads: any. Each method takes the file's monitor; appends and truncations come one at a time, under the segment's.
 */
final class OffsetIndex {
    static final int ENTRY_SIZE = 8;

    private final IndexFile file;
    private final long baseOffset;

    OffsetIndex(LogFolder folder, long baseOffset, String suffix) {
        this.file = new IndexFile(folder, LogFolder.fileName(baseOffset, LogFolder.INDEX) + suffix, ENTRY_SIZE, true);
        this.baseOffset = baseOffset;
    }

    IndexFile file() {
        return file;
    }

    void append(long lastOffset, int position) throws IOException {
        synchronized (file) {
            ByteBuffer buffer = file.add();
            int at = file.at(file.count() - 1);
            buffer.putInt(at, (int) (lastOffset - baseOffset));
            buffer.putInt(at + 4, position);
        }
    }

    /** The last entry whose offset is at most {@code offset}; (base offset, 0) if there is none. */
    Entry floor(long offset) throws IOException {
        synchronized (file) {
            int slot = slotBelow(0, offset - baseOffset);
            return slot < 0 ? new Entry(baseOffset, 0) : entry(slot);
        }
    }

    /** The first entry at or after a file position; null if there is none. */
    @org.jspecify.annotations.Nullable
    Entry ceilingOfPosition(int position) throws IOException {
        synchronized (file) {
            int slot = slotBelow(4, position - 1L) + 1;
            return slot < file.count() ? entry(slot) : null;
        }
    }

    Entry last() throws IOException {
        synchronized (file) {
            int n = file.count();
            return n == 0 ? new Entry(baseOffset, 0) : entry(n - 1);
        }
    }

    /** Drops the entries from {@code offset} on. */
    void truncateTo(long offset) throws IOException {
        synchronized (file) {
            file.truncate(slotBelow(0, offset - baseOffset - 1) + 1);
        }
    }

    private Entry entry(int slot) throws IOException {
        ByteBuffer buffer = file.buffer(slot);
        int at = file.at(slot);
        return new Entry(baseOffset + buffer.getInt(at), buffer.getInt(at + 4));
    }

    /** Binary search: the last entry whose field is at most {@code key}, or -1. */
    private int slotBelow(int field, long key) throws IOException {
        int low = 0;
        int high = file.count() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            ByteBuffer buffer = file.buffer(middle);
            if (buffer.getInt(file.at(middle) + field) <= key) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /** A batch's last offset and where the batch begins. */
    record Entry(long offset, int position) {}
}
