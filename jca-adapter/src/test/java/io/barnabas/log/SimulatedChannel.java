package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A file of a {@link SimulatedDisk}. A file without a name stays usable while it is open, as on Unix. */
final class SimulatedChannel extends FileChannel {
    private final SimulatedDisk disk;
    private final SimulatedDisk.Inode inode;
    private final boolean writable;
    private long position;

    SimulatedChannel(SimulatedDisk disk, SimulatedDisk.Inode inode, boolean writable) {
        this.disk = disk;
        this.inode = inode;
        this.writable = writable;
    }

    @Override
    public int read(ByteBuffer into, long from) throws IOException {
        requireOpen();
        disk.beforeRead();
        if (from >= inode.size) {
            return -1;
        }
        int n = (int) Math.min(into.remaining(), inode.size - from);
        into.put(inode.data, (int) from, n);
        return n;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        int n = read(into, position);
        position += Math.max(0, n);
        return n;
    }

    @Override
    public int write(ByteBuffer bytes, long to) throws IOException {
        requireOpen();
        if (!writable) {
            throw new NonWritableChannelException();
        }
        int n = disk.survivingBytes(bytes.remaining());
        int end = (int) to + n;
        inode.ensure(end);
        if (disk.loses()) {
            bytes.position(bytes.position() + n);
        } else {
            bytes.get(inode.data, (int) to, n);
        }
        inode.size = Math.max(inode.size, end);
        if (disk.crashed()) {
            throw new SimulatedDisk.Crash();
        }
        return n;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        int n = write(bytes, position);
        position += n;
        return n;
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        requireOpen();
        disk.beforeTruncate();
        if (size < inode.size) {
            java.util.Arrays.fill(inode.data, (int) size, inode.size, (byte) 0);
            inode.size = (int) size;
        }
        return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
        requireOpen();
        disk.force(inode);
    }

    @Override
    public long size() throws IOException {
        requireOpen();
        return inode.size;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public FileChannel position(long newPosition) {
        position = newPosition;
        return this;
    }

    @Override
    public long transferTo(long from, long count, WritableByteChannel target) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(count, Math.max(0, size() - from)));
        read(bytes, from);
        return target.write(bytes.flip());
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] bytes, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long to, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long from, long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long from, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long from, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected void implCloseChannel() {
        // nothing is held
    }

    private void requireOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }
}
