package io.barnabas.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * The file system as an argument: {@link NioFileStore} in production; tests put one in its place that loses what was not forced, tears
 * writes and fails with EIO or ENOSPC. Safe from any thread.
 */
public interface FileStore {
    /**
     * Opens a file for reading, and for writing if asked.
     *
     * @param writable makes the file if it is not there
     */
    FileChannel open(Path file, boolean writable) throws IOException;

    byte[] readAll(Path file) throws IOException;

    /** Renames within a file system, replacing the target, atomically. */
    void rename(Path from, Path to) throws IOException;

    boolean deleteIfExists(Path file) throws IOException;

    boolean exists(Path file);

    long size(Path file) throws IOException;

    long lastModifiedMs(Path file) throws IOException;

    /** What is directly in a directory, sorted by name. */
    List<Path> list(Path directory) throws IOException;

    boolean isDirectory(Path path);

    void createDirectories(Path directory) throws IOException;

    /** Makes creations, renames and deletions in a directory durable. */
    void syncDirectory(Path directory) throws IOException;

    /**
     * Locks a file against other processes until the result is closed.
     *
     * @throws IOException if somebody holds it
     */
    Closeable lock(Path file) throws IOException;

    /** Bytes of the file system that holds {@code path}. */
    long totalBytes(Path path) throws IOException;

    /** Bytes that may still be written there. */
    long usableBytes(Path path) throws IOException;

    /** Gives a small file new content so that after a crash either the old or the new is there: temporary file, force, rename. */
    default void replace(Path file, byte[] content) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        write(temporary, content, true);
        rename(temporary, file);
        Path parent = file.getParent();
        if (parent != null) {
            syncDirectory(parent);
        }
    }

    default void replace(Path file, String content) throws IOException {
        replace(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes a whole file in place. */
    default void write(Path file, byte[] content, boolean force) throws IOException {
        try (FileChannel channel = open(file, true)) {
            channel.truncate(0);
            ByteBuffer buffer = ByteBuffer.wrap(content);
            long position = 0;
            while (buffer.hasRemaining()) {
                position += channel.write(buffer, position);
            }
            if (force) {
                channel.force(true);
            }
        }
    }

    /** Deletes a directory and what is in it. */
    default void deleteTree(Path directory) throws IOException {
        for (Path child : list(directory)) {
            if (isDirectory(child)) {
                deleteTree(child);
            } else {
                deleteIfExists(child);
            }
        }
        deleteIfExists(directory);
    }
}
