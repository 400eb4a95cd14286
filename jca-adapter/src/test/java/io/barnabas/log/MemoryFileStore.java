package io.barnabas.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A file system in memory that keeps apart what was written and what was forced, so that a test can pull the plug; and that fails on
 * demand. What it assumes of a disk: a forced file and a synced directory stay; of unforced writes any may be missing and the last be
 * torn; of unsynced changes to a directory some first ones are kept (a journaling file system); a file never loses bytes that it had
 * when it was forced.
 */
public final class MemoryFileStore implements FileStore {
    /** Asked before each operation that changes something; throws to make it fail, or a {@link Crash}. */
    public interface Fault {
        void before(String operation, Path path) throws IOException;
    }

    /** The process is no more. */
    public static final class Crash extends Error {
        private static final long serialVersionUID = 1L;

        public Crash() {
            super("crash", null, false, false);
        }
    }

    private static final class Inode {
        byte[] bytes = new byte[0];
        int size;
        byte[] forced = new byte[0];
        final List<Consumer<Inode>> unforced = new ArrayList<>(); // replayed on top of forced
        long modifiedMs;

        void write(byte[] from, int position) {
            int end = position + from.length;
            if (end > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(end, bytes.length * 2));
            }
            System.arraycopy(from, 0, bytes, position, from.length);
            size = Math.max(size, end);
        }

        void truncate(int to) {
            if (to < size) {
                Arrays.fill(bytes, to, size, (byte) 0);
                size = to;
            }
        }

        void force() {
            forced = Arrays.copyOf(bytes, size);
            unforced.clear();
        }
    }

    private TreeMap<Path, Inode> names = new TreeMap<>();
    private TreeMap<Path, Inode> syncedNames = new TreeMap<>();
    private final List<NameChange> unsynced = new ArrayList<>();
    private final Set<Path> directories = new HashSet<>();
    private final Set<Path> locks = new HashSet<>();
    private Fault fault = (operation, path) -> {};
    private long capacity = Long.MAX_VALUE;

    private record NameChange(Path directory, Consumer<TreeMap<Path, Inode>> change) {}

    public synchronized void setFault(Fault newFault) {
        fault = newFault;
    }

    /** Bytes that all files together may have: beyond it writes fail with ENOSPC, after having written what fits. */
    public synchronized void setCapacity(long bytes) {
        capacity = bytes;
    }

    public synchronized long used() {
        return names.values().stream().mapToLong(inode -> inode.size).sum();
    }

    /** The plug is pulled: of what was not forced an arbitrary part is left. Open channels are void. */
    public synchronized void losePower(Random random) {
        fault = (operation, path) -> {};
        locks.clear();
        int kept = random.nextInt(unsynced.size() + 1);
        TreeMap<Path, Inode> left = new TreeMap<>(syncedNames);
        for (NameChange change : unsynced.subList(0, kept)) {
            change.change().accept(left);
        }
        unsynced.clear();
        names = left;
        syncedNames = new TreeMap<>(left);
        for (Inode inode : new java.util.LinkedHashSet<>(left.values())) {
            loseUnforced(inode, random);
        }
    }

    private static void loseUnforced(Inode inode, Random random) {
        List<Consumer<Inode>> writes = List.copyOf(inode.unforced);
        inode.bytes = inode.forced.clone();
        inode.size = inode.forced.length;
        boolean ordered = random.nextBoolean();
        int prefix = random.nextInt(writes.size() + 1);
        for (int i = 0; i < writes.size(); i++) {
            if (ordered ? i < prefix : random.nextInt(4) != 0) {
                writes.get(i).accept(inode);
            }
        }
        if (inode.size > inode.forced.length && random.nextInt(3) == 0) {
            inode.truncate(inode.forced.length + random.nextInt(inode.size - inode.forced.length)); // torn
        }
        inode.force();
    }

    /** The process was killed: the system still has everything. */
    public synchronized void kill() {
        fault = (operation, path) -> {};
        locks.clear();
    }

    private void check(String operation, Path path) throws IOException {
        fault.before(operation, path);
    }

    private void rename(NameChange change) {
        change.change().accept(names);
        unsynced.add(change);
    }

    @Override
    public synchronized FileChannel open(Path file, boolean writable) throws IOException {
        Inode inode = names.get(file);
        if (inode == null) {
            if (!writable || !directories.contains(file.getParent())) {
                throw new NoSuchFileException(file.toString());
            }
            check("create", file);
            Inode fresh = new Inode();
            rename(new NameChange(file.getParent(), map -> map.put(file, fresh)));
            inode = fresh;
        }
        return new Channel(inode, file);
    }

    @Override
    public synchronized byte[] readAll(Path file) throws IOException {
        Inode inode = inode(file);
        return Arrays.copyOf(inode.bytes, inode.size);
    }

    private Inode inode(Path file) throws NoSuchFileException {
        Inode inode = names.get(file);
        if (inode == null) {
            throw new NoSuchFileException(file.toString());
        }
        return inode;
    }

    @Override
    public synchronized void rename(Path from, Path to) throws IOException {
        check("rename", from);
        if (directories.contains(from)) {
            renameDirectory(from, to);
            return;
        }
        inode(from);
        rename(new NameChange(to.getParent(), map -> {
            Inode moved = map.remove(from);
            if (moved != null) {
                map.put(to, moved);
            }
        }));
    }

    /** Directories are renamed durably at once: their journal is not modelled. */
    private void renameDirectory(Path from, Path to) {
        for (Path each : List.copyOf(names.keySet())) {
            if (each.startsWith(from)) {
                names.put(to.resolve(from.relativize(each)), names.remove(each));
            }
        }
        for (Path each : List.copyOf(directories)) {
            if (each.startsWith(from)) {
                directories.remove(each);
                directories.add(to.resolve(from.relativize(each)));
            }
        }
        unsynced.clear();
        syncedNames = new TreeMap<>(names);
    }

    @Override
    public synchronized boolean deleteIfExists(Path file) throws IOException {
        if (directories.contains(file)) {
            check("delete", file);
            return directories.remove(file);
        }
        if (!names.containsKey(file)) {
            return false;
        }
        check("delete", file);
        rename(new NameChange(file.getParent(), map -> map.remove(file)));
        return true;
    }

    @Override
    public synchronized boolean exists(Path file) {
        return names.containsKey(file) || directories.contains(file);
    }

    @Override
    public synchronized long size(Path file) throws IOException {
        return inode(file).size;
    }

    @Override
    public synchronized long lastModifiedMs(Path file) throws IOException {
        return inode(file).modifiedMs;
    }

    @Override
    public synchronized List<Path> list(Path directory) throws IOException {
        if (!directories.contains(directory)) {
            throw new NoSuchFileException(directory.toString());
        }
        List<Path> children = new ArrayList<>();
        names.keySet().stream()
                .filter(path -> directory.equals(path.getParent()))
                .forEach(children::add);
        directories.stream().filter(path -> directory.equals(path.getParent())).forEach(children::add);
        children.sort(null);
        return children;
    }

    @Override
    public synchronized boolean isDirectory(Path path) {
        return directories.contains(path);
    }

    @Override
    public synchronized void createDirectories(Path directory) throws IOException {
        check("mkdir", directory);
        for (Path path = directory; path != null; path = path.getParent()) {
            directories.add(path);
        }
    }

    @Override
    public synchronized void syncDirectory(Path directory) throws IOException {
        check("sync", directory);
        for (NameChange change : List.copyOf(unsynced)) {
            if (change.directory().equals(directory)) {
                change.change().accept(syncedNames);
                unsynced.remove(change);
            }
        }
    }

    @Override
    public synchronized Closeable lock(Path file) throws IOException {
        if (!locks.add(file)) {
            throw new IOException("locked");
        }
        return () -> {
            synchronized (this) {
                locks.remove(file);
            }
        };
    }

    @Override
    public long totalBytes(Path path) {
        return capacity;
    }

    @Override
    public long usableBytes(Path path) {
        return capacity - used();
    }

    private final class Channel extends FileChannel {
        private final Inode inode;
        private final Path path;

        Channel(Inode inode, Path path) {
            this.inode = inode;
            this.path = path;
        }

        private void requireOpen() throws IOException {
            if (!isOpen()) {
                throw new ClosedChannelException();
            }
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            requireOpen();
            synchronized (MemoryFileStore.this) {
                check("read", path);
                int n = (int) Math.min(into.remaining(), inode.size - position);
                if (n <= 0) {
                    return into.hasRemaining() ? -1 : 0;
                }
                into.put(inode.bytes, (int) position, n);
                return n;
            }
        }

        @Override
        public int write(ByteBuffer from, long position) throws IOException {
            requireOpen();
            synchronized (MemoryFileStore.this) {
                check("write", path);
                long room = capacity == Long.MAX_VALUE ? Long.MAX_VALUE : capacity - used() + inode.size - position;
                if (room <= 0) {
                    throw new IOException("No space left on device");
                }
                byte[] bytes = new byte[(int) Math.min(from.remaining(), room)];
                from.get(bytes);
                inode.write(bytes, (int) position);
                inode.unforced.add(each -> each.write(bytes, (int) position));
                return bytes.length;
            }
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            requireOpen();
            synchronized (MemoryFileStore.this) {
                check("truncate", path);
                inode.truncate((int) size);
                inode.unforced.add(each -> each.truncate((int) size));
            }
            return this;
        }

        @Override
        public void force(boolean metaData) throws IOException {
            requireOpen();
            synchronized (MemoryFileStore.this) {
                check("force", path);
                inode.force();
            }
        }

        @Override
        public long size() throws IOException {
            requireOpen();
            synchronized (MemoryFileStore.this) {
                return inode.size;
            }
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
            ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, 1 << 20));
            int n = read(buffer, position);
            return n <= 0 ? 0 : target.write(buffer.flip());
        }

        @Override
        protected void implCloseChannel() {}

        @Override
        public FileLock tryLock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public java.nio.MappedByteBuffer map(MapMode mode, long position, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer into) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long read(ByteBuffer[] into, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] from, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel position(long newPosition) {
            throw new UnsupportedOperationException();
        }
    }
}
