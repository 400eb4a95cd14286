package io.barnabas.log;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * A file of entries of one size, appended in rising order: what the offset, time and transaction index have in common.
 *
 * <p>The newest entries are held on the heap and written when there are {@value #TAIL_ENTRIES} of them, at a roll and at a force; older
 * ones are read from the file by blocks. Nothing is preallocated or mapped: an index that nobody uses costs neither memory nor a file
 * descriptor, and the file never has Kafka's tail of zeros.
 *
 * <p>Threads: any; every method takes the monitor (an append comes once in index.interval.bytes, a look-up once a fetch).
 */
final class IndexFile {
    static final int TAIL_ENTRIES = 512;
    private static final int TAIL_FIRST = 16;

    private final LogFolder folder;
    private final int entrySize;
    private final boolean writtenWhenEmpty;
    private String name;
    private boolean loaded;
    private boolean gone;
    private int count; // entries in all
    private int onDisk; // entries in the file
    private int tailFirst; // index of the first entry of tail
    private ByteBuffer tail = ByteBuffer.allocate(0);
    private @Nullable ByteBuffer block; // one block read from the file
    private int blockFirst;
    private int blockCount;
    private @Nullable FileChannel channel;

    IndexFile(LogFolder folder, String name, int entrySize, boolean writtenWhenEmpty) {
        this.folder = folder;
        this.name = name;
        this.entrySize = entrySize;
        this.writtenWhenEmpty = writtenWhenEmpty;
    }

    synchronized int count() throws IOException {
        load();
        return count;
    }

    synchronized String name() {
        return name;
    }

    synchronized boolean exists() {
        return folder.files().exists(folder.resolve(name));
    }

    /** A buffer in which {@link #at} is the first byte of the entry; valid until the next call. */
    synchronized ByteBuffer buffer(int entry) throws IOException {
        load();
        if (entry >= tailFirst) {
            return tail;
        }
        ByteBuffer present = block;
        if (present == null || entry < blockFirst || entry >= blockFirst + blockCount) {
            present = readBlock(entry);
        }
        return present;
    }

    synchronized int at(int entry) {
        return (entry >= tailFirst ? entry - tailFirst : entry - blockFirst) * entrySize;
    }

    /** Room for one more entry at the end; the caller fills it at once, under this index's monitor. */
    synchronized ByteBuffer add() throws IOException {
        load();
        int inTail = count - tailFirst;
        if (inTail >= TAIL_ENTRIES) {
            spill();
            inTail = count - tailFirst;
        }
        if ((inTail + 1) * entrySize > tail.capacity()) {
            int entries = Math.max(TAIL_FIRST, inTail * 2);
            ByteBuffer larger = ByteBuffer.allocate(entries * entrySize);
            larger.put(0, tail, 0, inTail * entrySize);
            tail = larger;
        }
        count++;
        return tail;
    }

    /** Writes the tail and forgets its older half. Where there is no room on the disk the tail grows instead. */
    private void spill() throws IOException {
        try {
            writeTail();
        } catch (IOException e) {
            if (!IoFailures.isTransient(e)) {
                throw e;
            }
            return;
        }
        int keep = TAIL_ENTRIES / 2;
        int drop = count - tailFirst - keep;
        ByteBuffer kept = ByteBuffer.allocate(TAIL_ENTRIES * entrySize);
        kept.put(0, tail, drop * entrySize, keep * entrySize);
        tail = kept;
        tailFirst += drop;
    }

    private void writeTail() throws IOException {
        if (onDisk < count) {
            FileChannel file = channel();
            ByteBuffer unwritten = tail.duplicate();
            unwritten.position((onDisk - tailFirst) * entrySize).limit((count - tailFirst) * entrySize);
            long position = (long) onDisk * entrySize;
            while (unwritten.hasRemaining()) {
                position += file.write(unwritten, position);
            }
            onDisk = count;
        }
    }

    /** Writes what is only in memory; makes the file if it is due. */
    synchronized void flush(boolean force) throws IOException {
        if (gone) {
            return;
        }
        if (!loaded && exists()) {
            if (force) {
                channel().force(false);
            }
            return; // nobody appended since it was opened
        }
        load();
        if (count == 0 && !writtenWhenEmpty) {
            return;
        }
        channel();
        writeTail();
        if (force) {
            channel().force(false);
        }
    }

    synchronized void truncate(int entries) throws IOException {
        load();
        if (entries >= count) {
            return;
        }
        if (entries < onDisk) {
            channel().truncate((long) entries * entrySize);
            onDisk = entries;
        }
        if (entries <= tailFirst) {
            tail = ByteBuffer.allocate(0);
            tailFirst = entries;
        }
        blockCount = 0;
        count = entries;
    }

    /** Forgets everything, whatever the file holds. */
    synchronized void reset() throws IOException {
        loaded = true;
        count = 0;
        onDisk = 0;
        tailFirst = 0;
        tail = ByteBuffer.allocate(0);
        blockCount = 0;
        if (exists()) {
            channel().truncate(0);
        }
    }

    synchronized void rename(String newName) throws IOException {
        if (exists()) {
            folder.files().rename(folder.resolve(name), folder.resolve(newName));
        }
        name = newName;
    }

    synchronized void delete() throws IOException {
        close();
        gone = true;
        folder.files().deleteIfExists(folder.resolve(name));
    }

    /** Gives back the descriptor and the block of the file that was read. */
    synchronized void idle() throws IOException {
        FileChannel open = channel;
        channel = null;
        block = null;
        blockCount = 0;
        if (open != null) {
            open.close();
        }
    }

    /** Gives back the file and the memory; what was not written is forgotten. */
    synchronized void close() throws IOException {
        FileChannel open = channel;
        channel = null;
        block = null;
        blockCount = 0;
        loaded = false;
        tail = ByteBuffer.allocate(0);
        if (open != null) {
            open.close();
        }
    }

    private void load() throws IOException {
        if (loaded) {
            return;
        }
        long size = exists() ? folder.files().size(folder.resolve(name)) : 0;
        count = (int) (size / entrySize); // a torn last entry is not counted, and overwritten by the next
        onDisk = count;
        tailFirst = count;
        loaded = true;
    }

    private ByteBuffer readBlock(int entry) throws IOException {
        ByteBuffer into = block;
        if (into == null) {
            into = ByteBuffer.allocate(TAIL_ENTRIES * entrySize);
            block = into;
        }
        blockFirst = entry - entry % TAIL_ENTRIES;
        blockCount = 0;
        int entries = Math.min(TAIL_ENTRIES, onDisk - blockFirst);
        into.clear().limit(entries * entrySize);
        long position = (long) blockFirst * entrySize;
        while (into.hasRemaining()) {
            int n = channel().read(into, position + into.position());
            if (n < 0) {
                throw new EOFException(name + " ends before entry " + entry);
            }
        }
        into.clear();
        blockCount = entries;
        return into;
    }

    private FileChannel channel() throws IOException {
        FileChannel open = channel;
        if (open == null || !open.isOpen()) {
            if (gone) {
                throw new NoSuchFileException(name);
            }
            open = folder.files().open(folder.resolve(name), true);
            channel = open;
        }
        return open;
    }
}
