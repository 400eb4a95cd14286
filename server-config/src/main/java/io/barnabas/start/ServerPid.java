package io.barnabas.start;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The file {@code barnabas.pid} in the data directory. The server's process keeps it locked from its first moment, long before the
 * broker locks the logs: so two starts at once cannot both go on, and a number that a crash left behind is nobody's. The file goes
 * with the process.
 */
public final class ServerPid {
    /** As long as the process lives: a lock whose channel is collected is gone. */
    private static final List<FileLock> HELD = new CopyOnWriteArrayList<>();

    private ServerPid() {}

    static Path file(Path data) {
        return data.resolve("barnabas.pid");
    }

    /**
     * Marks the directory as this process's.
     *
     * @throws Refusal if another process has it, or the file cannot be written
     */
    public static void take(Path data) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file(data), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            @Nullable FileLock lock = channel.tryLock();
            if (lock == null) {
                channel.close();
                throw inUse(data);
            }
            channel.truncate(0);
            String pid = ProcessHandle.current().pid() + "\n";
            channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
            file(data).toFile().deleteOnExit();
            HELD.add(lock);
        } catch (OverlappingFileLockException e) {
            throw inUse(data);
        } catch (IOException e) {
            throw new Refusal(file(data) + " cannot be written: " + e.getMessage());
        }
    }

    /** Why a start on this directory is refused while a process is on it. */
    public static Refusal inUse(Path data) {
        return new Refusal("the data directory " + data + " is in use by another process"
                + of(data).map(pid -> " (pid " + pid + ")").orElse("")
                + "; stop it (barnabas stop --data " + data + ") or name another directory with --data");
    }

    /** The process that is on the directory; empty if there is none. Not to be called by that process itself. */
    public static Optional<Long> of(Path data) {
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
