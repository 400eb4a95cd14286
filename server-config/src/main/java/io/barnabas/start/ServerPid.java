package io.barnabas.start;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The file {@code barnabas.pid} in the data directory. The server's process keeps it locked from its first moment, long before the
 * broker locks the logs: so two starts at once cannot both go on, and a number that a crash left behind is nobody's. The file goes
 * with the process.
 */
public final class ServerPid {
    /** By directory, as long as the process lives: a lock whose channel is collected is gone. */
    private static final Map<Path, FileLock> HELD = new ConcurrentHashMap<>();

    /** Who asks for the state holds a lock for a moment, so that one refusal says nothing. */
    private static final int ATTEMPTS = 20;

    private static final long ATTEMPT_NANOS = 50_000_000;

    private ServerPid() {}

    static Path file(Path data) {
        return data.resolve("barnabas.pid");
    }

    /**
     * Marks the directory as this process's.
     *
     * @throws Refusal if another process has it, or the file cannot be written
     */
    public static synchronized void take(Path data) {
        if (holds(data)) {
            throw inUse(data);
        }
        try {
            if (!Files.isDirectory(data)) {
                throw new NoSuchFileException(data.toString());
            }
            @Nullable FileLock lock = lock(file(data));
            if (lock == null) {
                throw inUse(data);
            }
            HELD.put(data.toRealPath(), lock);
            file(data).toFile().deleteOnExit();
            FileChannel channel = lock.channel();
            channel.truncate(0);
            String pid = ProcessHandle.current().pid() + "\n";
            channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException e) {
            throw new Refusal(file(data) + " cannot be written: " + e.getMessage());
        }
    }

    /** Whether this process is on the directory. It must not open the file again: closing any channel of it gives the lock back. */
    private static boolean holds(Path data) {
        try {
            return HELD.containsKey(data.toRealPath());
        } catch (IOException e) {
            return false; // there is no such directory
        }
    }

    /** Locks a file that its holder takes away with itself; null if somebody else keeps it. */
    private static @Nullable FileLock lock(Path file) throws IOException {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            @Nullable FileLock lock = lockOnce(file);
            if (lock != null) {
                return lock;
            }
            LockSupport.parkNanos(ATTEMPT_NANOS);
        }
        return null;
    }

    /** Null also if the file was taken away meanwhile: such a lock would be seen by nobody. */
    private static @Nullable FileLock lockOnce(Path file) throws IOException {
        @Nullable FileChannel channel = null;
        @Nullable FileLock lock = null;
        try {
            if (!Files.exists(file)) {
                Files.createFile(file);
            }
            @Nullable Object before = key(file);
            channel = FileChannel.open(file, StandardOpenOption.WRITE);
            lock = channel.tryLock();
            if (lock != null && !Objects.equals(before, key(file))) {
                lock = null;
            }
        } catch (NoSuchFileException | FileAlreadyExistsException | OverlappingFileLockException e) {
            lock = null; // it came or went meanwhile, or a thread of this process looks at it
        } finally {
            if (lock == null && channel != null) {
                channel.close();
            }
        }
        return lock;
    }

    private static @Nullable Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    /** Whether nobody keeps the file locked; that somebody looks at it too does not count. */
    public static boolean isFree(FileChannel channel) throws IOException {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            try (@Nullable FileLock lock = channel.tryLock()) {
                if (lock != null) {
                    return true;
                }
            }
            LockSupport.parkNanos(ATTEMPT_NANOS);
        }
        return false;
    }

    /** Why a start on this directory is refused while a process is on it. */
    public static Refusal inUse(Path data) {
        return new Refusal("the data directory " + data + " is in use by another process"
                + of(data).map(pid -> " (pid " + pid + ")").orElse("")
                + "; stop it (barnabas stop --data " + data + ") or name another directory with --data");
    }

    /** The process that is on the directory; empty if there is none. */
    public static Optional<Long> of(Path data) {
        if (holds(data)) {
            return Optional.of(ProcessHandle.current().pid());
        }
        try (FileChannel channel = FileChannel.open(file(data), StandardOpenOption.READ)) {
            return isLocked(channel)
                    ? Optional.of(Long.parseLong(Files.readString(file(data)).trim()))
                    : Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try (@Nullable FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
            return lock == null;
        } catch (OverlappingFileLockException e) {
            return true;
        }
    }
}
