package io.barnabas.log;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A disk in memory that forgets like a real one. What was written is seen at once, but is safe from a power loss only after a force; a
 * creation, rename or deletion only after its directory was synced. A power loss keeps of each file a random choice of the 512-byte
 * sectors written since the last force, and of each directory a random number of the first changes since its last sync (journalling
 * file systems keep their order). The death of the process keeps everything but the rest of the write under way.
 *
 * <p>One thread. After the planned crash every operation throws {@link Crash} until {@link #restart}.
 */
public final class SimulatedDisk implements FileStore {
    static final int SECTOR = 512;

    private final Random random;
    private Map<Path, Inode> names = new TreeMap<>();
    private final Map<Path, Inode> safeNames = new TreeMap<>();
    private final List<NameChange> unsynced = new ArrayList<>();
    private final Set<Path> directories = new TreeSet<>();
    private final Set<Path> locked = new HashSet<>();
    private long operations;
    private long crashAt = Long.MAX_VALUE;
    private double errorRate;
    private long roomBytes = Long.MAX_VALUE;
    private final Set<Path> away = new HashSet<>();
    boolean forcesAreLies;
    double lostWrites;
    long nowMs;

    public SimulatedDisk(long seed) {
        random = new Random(seed);
    }

    /** How an unplanned end comes. */
    public enum End {
        /** kill -9: the system keeps what the process wrote. */
        PROCESS_KILLED,
        /** What was not forced is at the mercy of chance. */
        POWER_LOST
    }

    /** Thrown out of the operation at which the process dies. Not an exception, so that nothing handles it. */
    public static final class Crash extends Error {
        private static final long serialVersionUID = 1L;
    }

    static final class Inode {
        byte[] data = new byte[0];
        int size;
        byte[] safeData = new byte[0];
        int safeSize;

        void ensure(int bytes) {
            if (bytes > data.length) {
                data = java.util.Arrays.copyOf(data, Math.max(bytes, Math.min(data.length * 2, 64 << 20)));
            }
        }

        void makeSafe() {
            safeData = java.util.Arrays.copyOf(data, size);
            safeSize = size;
        }
    }

    /** @param inode null if it is a folder that was renamed, from {@code removed} to {@code added} */
    private record NameChange(
            Path directory,
            @Nullable Path removed,
            @Nullable Path added,
            @Nullable Inode inode) {}

    /** The process dies at the {@code n}-th operation from now that changes something. */
    public void crashAfter(long n) {
        crashAt = operations + n;
    }

    public void neverCrash() {
        crashAt = Long.MAX_VALUE;
    }

    public boolean crashed() {
        return operations >= crashAt;
    }

    /** The share of changes and reads that fail with an I/O error. */
    public void failWith(double rate) {
        errorRate = rate;
    }

    /** These directories cannot be opened from now on; others can again. */
    public void away(Set<Path> paths) {
        away.clear();
        away.addAll(paths);
    }

    /** Bytes that may still be written. */
    public void room(long bytes) {
        roomBytes = bytes;
    }

    /** No more errors, room enough; a planned crash stays planned. */
    public void heal() {
        errorRate = 0;
        roomBytes = Long.MAX_VALUE;
    }

    /** Whether a write is answered well and forgotten: no disk should. */
    boolean loses() {
        return lostWrites > 0 && random.nextDouble() < lostWrites;
    }

    /** From now on forces are answered well and do nothing: no disk should. */
    public void lieAboutForces() {
        forcesAreLies = true;
    }

    public long operations() {
        return operations;
    }

    // ---- the end and the new beginning

    /** What is there when the machine or the process comes back. */
    public void restart(End end) {
        if (end == End.POWER_LOST) {
            losePower();
        }
        for (Inode inode : names.values()) {
            inode.makeSafe();
        }
        safeNames.clear();
        safeNames.putAll(names);
        unsynced.clear();
        locked.clear();
        crashAt = Long.MAX_VALUE;
        errorRate = 0;
        roomBytes = Long.MAX_VALUE;
    }

    private void losePower() {
        Map<Path, Inode> left = new TreeMap<>(safeNames);
        Map<Path, Integer> kept = new HashMap<>();
        Map<Path, Integer> count = new HashMap<>();
        unsynced.forEach(change -> count.merge(change.directory, 1, Integer::sum));
        count.forEach((directory, n) -> kept.put(directory, random.nextInt(n + 1)));
        List<NameChange> undone = new ArrayList<>();
        for (NameChange change : unsynced) {
            int budget = kept.getOrDefault(change.directory, 0);
            kept.put(change.directory, budget - 1);
            if (budget > 0) {
                applyTo(left, change);
            } else if (change.inode == null) {
                undone.add(0, change);
            }
        }
        names = left;
        unsynced.clear();
        safeNames.clear();
        for (NameChange change : undone) {
            if (change.added != null && change.removed != null && directories.contains(change.added)) {
                renameDirectory(change.added, change.removed);
            }
        }
        new LinkedHashSet<>(names.values()).forEach(this::loseSectors); // in the same order at every run
    }

    private void loseSectors(Inode inode) {
        int size = random.nextBoolean() ? inode.size : Math.min(inode.size, inode.safeSize);
        if (inode.size < inode.safeSize && random.nextBoolean()) {
            size = inode.safeSize; // the truncation was not forced
        }
        byte[] left = new byte[size];
        for (int at = 0; at < size; at += SECTOR) {
            boolean fresh = random.nextBoolean();
            byte[] from = fresh ? inode.data : inode.safeData;
            int known = fresh ? inode.size : inode.safeSize;
            int n = Math.min(Math.min(SECTOR, size - at), known - at);
            if (n > 0) {
                System.arraycopy(from, at, left, at, n);
            }
        }
        boolean untouched = inode.size == inode.safeSize
                && java.util.Arrays.equals(inode.data, 0, inode.size, inode.safeData, 0, inode.safeSize);
        if (!untouched) {
            inode.data = left;
            inode.size = size;
        }
    }

    private static void applyTo(Map<Path, Inode> names, NameChange change) {
        if (change.inode == null) {
            return; // what is in a folder goes with it at once
        }
        if (change.removed != null) {
            names.remove(change.removed);
        }
        if (change.added != null) {
            names.put(change.added, change.inode);
        }
    }

    // ---- faults

    /** Counts a change; at the planned one the process dies. */
    private void change() throws IOException {
        requireAlive();
        operations++;
        requireAlive();
        maybeFail();
    }

    private void requireAlive() {
        if (crashed()) {
            throw new Crash();
        }
    }

    private void maybeFail() throws IOException {
        if (errorRate > 0 && random.nextDouble() < errorRate) {
            throw new IOException("Input/output error");
        }
    }

    /** Bytes of a write that reach the file before the process dies in it. */
    int survivingBytes(int length) throws IOException {
        requireAlive();
        operations++;
        if (crashed()) {
            return random.nextInt(length + 1);
        }
        maybeFail();
        if (length > roomBytes) {
            throw new IOException("No space left on device");
        }
        roomBytes -= length;
        return length;
    }

    void beforeRead() throws IOException {
        requireAlive();
        maybeFail();
    }

    void beforeTruncate() throws IOException {
        change();
    }

    void force(Inode inode) throws IOException {
        change();
        if (!forcesAreLies) {
            inode.makeSafe();
        }
    }

    // ---- the file system

    @Override
    public FileChannel open(Path file, boolean writable) throws IOException {
        Inode inode = names.get(file);
        if (inode == null) {
            if (!writable) {
                beforeRead();
                throw new NoSuchFileException(file.toString());
            }
            change();
            inode = new Inode();
            rename(null, file, inode);
        } else {
            beforeRead();
        }
        return new SimulatedChannel(this, inode, writable);
    }

    private void rename(@Nullable Path from, @Nullable Path to, Inode inode) throws IOException {
        Path holder = to != null ? to : from;
        Path parent = holder == null ? null : holder.getParent();
        if (parent == null || !directories.contains(parent)) {
            throw new FileNotFoundException(String.valueOf(holder));
        }
        NameChange change = new NameChange(parent, from, to, inode);
        applyTo(names, change);
        unsynced.add(change);
    }

    @Override
    public byte[] readAll(Path file) throws IOException {
        beforeRead();
        Inode inode = existing(file);
        return java.util.Arrays.copyOf(inode.data, inode.size);
    }

    private Inode existing(Path file) throws NoSuchFileException {
        Inode inode = names.get(file);
        if (inode == null) {
            throw new NoSuchFileException(file.toString());
        }
        return inode;
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        change();
        if (directories.contains(from)) {
            renameDirectory(from, to);
            unsynced.add(new NameChange(java.util.Objects.requireNonNull(to.getParent()), from, to, null));
        } else {
            rename(from, to, existing(from));
        }
    }

    /** A folder's making and its deletion are safe at once; its renaming is when its parent was synced. */
    private void renameDirectory(Path from, Path to) {
        directories.remove(from);
        directories.add(to);
        for (Map<Path, Inode> map : List.of(names, safeNames)) {
            for (Path path : List.copyOf(map.keySet())) {
                if (path.startsWith(from)) {
                    map.put(to.resolve(from.relativize(path)), map.remove(path));
                }
            }
        }
        unsynced.replaceAll(c -> new NameChange(
                c.directory.equals(from) ? to : c.directory,
                moved(c.removed, from, to),
                moved(c.added, from, to),
                c.inode));
    }

    private static @Nullable Path moved(@Nullable Path path, Path from, Path to) {
        return path != null && path.startsWith(from) ? to.resolve(from.relativize(path)) : path;
    }

    @Override
    public boolean deleteIfExists(Path file) throws IOException {
        change();
        if (directories.remove(file)) {
            return true;
        }
        Inode inode = names.get(file);
        if (inode == null) {
            return false;
        }
        rename(file, null, inode);
        return true;
    }

    @Override
    public boolean exists(Path file) {
        requireAlive();
        return names.containsKey(file) || directories.contains(file);
    }

    @Override
    public long size(Path file) throws IOException {
        beforeRead();
        return existing(file).size;
    }

    @Override
    public long lastModifiedMs(Path file) throws IOException {
        beforeRead();
        existing(file);
        return nowMs;
    }

    @Override
    public List<Path> list(Path directory) throws IOException {
        beforeRead();
        Set<Path> children = new TreeSet<>();
        names.keySet().stream().filter(p -> directory.equals(p.getParent())).forEach(children::add);
        directories.stream().filter(p -> directory.equals(p.getParent())).forEach(children::add);
        return List.copyOf(children);
    }

    @Override
    public boolean isDirectory(Path path) {
        return directories.contains(path);
    }

    @Override
    public void createDirectories(Path directory) throws IOException {
        change();
        if (away.contains(directory)) {
            throw new IOException("Input/output error");
        }
        for (Path path = directory; path != null; path = path.getParent()) {
            directories.add(path);
        }
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        change();
        if (!forcesAreLies) {
            unsynced.removeIf(change -> {
                boolean here = change.directory.equals(directory);
                if (here) {
                    applyTo(safeNames, change);
                }
                return here;
            });
        }
    }

    @Override
    public Closeable lock(Path file) throws IOException {
        if (!locked.add(file)) {
            throw new IOException("locked: " + file);
        }
        return () -> locked.remove(file);
    }

    @Override
    public long totalBytes(Path path) {
        return 1L << 40;
    }

    @Override
    public long usableBytes(Path path) {
        return Math.min(1L << 39, roomBytes);
    }
}
