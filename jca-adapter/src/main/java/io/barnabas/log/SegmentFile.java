package io.barnabas.log;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one segment, and the only holder of a segment's channel. It is opened when first used (a broker has thousands of
 * segments, of which few are read), and counted: a deleted segment stays readable until its last {@link LogSlice} is released.
 *
 * <p>Threads: one appends, truncates and renames at a time (the log's lock); reads take no lock. A channel that an interrupt of the
 * reading thread closed is opened again.
 */
final class SegmentFile implements Closeable {
    private final LogFolder folder;
    private final AtomicInteger references = new AtomicInteger(1);
    private volatile String name;
    private volatile @Nullable FileChannel channel;
    private volatile int size;
    private volatile boolean deleted;

    private SegmentFile(LogFolder folder, String name, int size) {
        this.folder = folder;
        this.name = name;
        this.size = size;
    }

    /** An existing file; it is not opened yet. */
    static SegmentFile existing(LogFolder folder, String name) throws IOException {
        long size = folder.files().size(folder.resolve(name));
        if (size > Integer.MAX_VALUE) {
            throw new IOException("Segment " + name + " of " + size + " bytes is larger than 2 GiB");
        }
        return new SegmentFile(folder, name, (int) size);
    }

    /** A new, empty file in place of any that was there. */
    static SegmentFile create(LogFolder folder, String name) throws IOException {
        SegmentFile file = new SegmentFile(folder, name, 0);
        FileChannel created = folder.files().open(folder.resolve(name), true);
        created.truncate(0);
        file.channel = created;
        return file;
    }

    String name() {
        return name;
    }

    /** Bytes appended and whole. */
    int size() {
        return size;
    }

    long lastModifiedMs() throws IOException {
        return folder.files().lastModifiedMs(folder.resolve(name));
    }

    /**
     * Appends what remains of {@code batches}; after a failure the file is as before.
     *
     * @throws PartialWriteException if what was half written could not be cut off again
     */
    void append(ByteBuffer batches) throws IOException {
        int before = size;
        FileChannel file = channel();
        long position = before;
        int mark = batches.position();
        try {
            while (batches.hasRemaining()) {
                position += file.write(batches, position);
            }
        } catch (IOException e) {
            batches.position(mark);
            undo(before, e);
            throw e;
        }
        size = (int) position;
    }

    private void undo(int before, IOException cause) throws PartialWriteException {
        boolean interrupted = Thread.interrupted(); // an interrupted thread cannot use a channel
        try {
            channel().truncate(before);
        } catch (IOException e) {
            cause.addSuppressed(e);
            throw new PartialWriteException(cause);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Reads from {@code position} until the buffer is full or the file ends; returns the bytes read. */
    int read(ByteBuffer into, long position) throws IOException {
        int start = into.position();
        while (into.hasRemaining()) {
            int n;
            try {
                n = channel().read(into, position + into.position() - start);
            } catch (ClosedByInterruptException e) {
                throw e;
            } catch (ClosedChannelException e) {
                continue; // closed as idle or by another thread's interrupt: a deleted file's channel is not opened
                // again
            }
            if (n < 0) {
                break;
            }
        }
        return into.position() - start;
    }

    void readFully(ByteBuffer into, long position) throws IOException {
        if (into.remaining() > read(into, position)) {
            throw new EOFException(name + " ends before " + (position + into.limit()));
        }
    }

    /** A range for a reader, which must release it. */
    synchronized LogSlice slice(int position, int length) throws IOException {
        retain();
        try {
            return new LogSlice(channel(), position, length, this::release);
        } catch (IOException e) {
            release();
            throw e;
        }
    }

    void truncate(int newSize) throws IOException {
        if (newSize < size || channel().size() > newSize) {
            channel().truncate(newSize);
        }
        size = newSize;
    }

    /** Forces the bytes; a file that was deleted meanwhile needs none. */
    void force() throws IOException {
        try {
            retain();
            try {
                channel().force(false);
            } finally {
                release();
            }
        } catch (NoSuchFileException e) {
            if (!deleted) {
                throw e;
            }
        }
    }

    synchronized void rename(String newName) throws IOException {
        folder.files().rename(folder.resolve(name), folder.resolve(newName));
        name = newName;
    }

    /** Takes the name away; who holds the file may still read it. */
    synchronized void delete() throws IOException {
        folder.files().deleteIfExists(folder.resolve(name));
        close();
    }

    /** Gives up the owner's reference: what is not open now is not opened again. */
    @Override
    public synchronized void close() {
        if (!deleted) {
            deleted = true;
            release();
        }
    }

    /** Closes the channel where nobody reads; a later use opens it again. */
    void idle() throws IOException {
        synchronized (this) {
            FileChannel open = channel;
            if (open != null && references.get() == 1) {
                channel = null;
                open.close();
            }
        }
    }

    private void retain() throws IOException {
        while (true) {
            int present = references.get();
            if (present == 0) {
                throw new NoSuchFileException(name);
            }
            if (references.compareAndSet(present, present + 1)) {
                return;
            }
        }
    }

    private void release() {
        if (references.decrementAndGet() == 0) {
            FileChannel open = channel;
            if (open != null) {
                try {
                    open.close();
                } catch (IOException e) {
                    // nothing was written through it that a force did not cover: nothing is lost
                    channel = null;
                }
            }
        }
    }

    private FileChannel channel() throws IOException {
        FileChannel open = channel;
        return open != null && open.isOpen() ? open : reopen();
    }

    private synchronized FileChannel reopen() throws IOException {
        FileChannel open = channel;
        if (open == null || !open.isOpen()) {
            if (deleted) { // opening it would make it anew
                throw new NoSuchFileException(name);
            }
            open = folder.files().open(folder.resolve(name), true);
            channel = open;
        }
        return open;
    }

    /** A write failed and its beginning could not be removed: the file's end is unknown. */
    static final class PartialWriteException extends IOException {
        private static final long serialVersionUID = 1L;

        PartialWriteException(IOException cause) {
            super(cause);
        }
    }
}
