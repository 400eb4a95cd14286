package io.barnabas.metadata;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A small file that is there whole or not at all, after a crash too; and a lock that is a file. Of the two kinds of channel this uses
 * the asynchronous one, as it is not closed when its thread is interrupted.
 */
final class DurableFile {
    private DurableFile() {}

    /** Writes a file's content. */
    interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Writes beside, forces, renames, forces the directory. */
    static void write(Path file, Content content) throws IOException {
        Path unfinished = file.resolveSibling("unfinished." + file.getFileName());
        try (FileOutputStream out = new FileOutputStream(unfinished.toFile());
                OutputStream buffered = new BufferedOutputStream(out)) {
            content.writeTo(buffered);
            buffered.flush();
            out.getFD().sync();
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Path directory = file.getParent();
        if (directory != null) {
            force(directory);
        }
    }

    /** Makes what was created in or removed from a directory last. */
    static void force(Path directory) throws IOException {
        try (AsynchronousFileChannel channel = AsynchronousFileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Locks {@code file}, until what is returned is closed or the process ends; null if somebody else has it. */
    static @Nullable AsynchronousFileChannel lock(Path file) throws IOException {
        AsynchronousFileChannel channel =
                AsynchronousFileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean locked = false;
        try {
            locked = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            locked = false;
        } finally {
            if (!locked) {
                channel.close();
            }
        }
        return locked ? channel : null;
    }
}
