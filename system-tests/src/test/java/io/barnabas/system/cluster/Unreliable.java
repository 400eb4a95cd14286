package io.barnabas.system.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A node whose wall clock may be wrong and whose disk may fail forces or writes (EIO), by a library between it and the system
 * ({@code unreliable.c}), which a C compiler makes here. Used by one thread.
 */
final class Unreliable {
    private static final int BYTES = 24;
    private static Path library; // of this process

    private final Path control;
    private final Path disk;

    /**
     * All is well at first.
     *
     * @param control the file that says what is wrong
     * @param disk forces and writes below it may fail
     */
    Unreliable(Path control, Path disk) throws IOException {
        this.control = control.toAbsolutePath();
        this.disk = disk.toAbsolutePath();
        Files.createDirectories(this.control.getParent());
        Files.write(control, new byte[BYTES]);
    }

    /** Why this machine has none; empty if it has. */
    static Optional<String> missing() {
        try {
            library();
            return Optional.empty();
        } catch (IOException | IllegalStateException e) {
            return Optional.of(
                    "a library to be loaded before a program cannot be made here (gcc, headers of the C library): "
                            + e.getMessage());
        }
    }

    private static Path library() throws IOException {
        if (library == null) {
            Path folder = Files.createTempDirectory("unreliable-");
            Path source = folder.resolve("unreliable.c");
            try (InputStream in = Unreliable.class.getResourceAsStream("/unreliable.c")) {
                Files.copy(in, source);
            }
            Path made = folder.resolve("unreliable.so");
            Command.run("gcc", "-O2", "-shared", "-fPIC", "-o", made.toString(), source.toString(), "-ldl");
            library = made;
        }
        return library;
    }

    /** Of the process. */
    Map<String, String> environment() throws IOException {
        return Map.of(
                "LD_PRELOAD",
                library().toString(),
                "UNRELIABLE",
                control.toString(),
                "UNRELIABLE_DISK",
                disk.toString());
    }

    /** Steps the wall clock to so far from the right time. */
    void stepClock(Duration ahead) throws IOException {
        set(0, ahead.toSeconds());
    }

    /** Forces fail from now on, or no more; what they should force stays in the machine's memory. */
    void failForces(boolean fail) throws IOException {
        set(1, fail ? 1 : 0);
    }

    /** Writes fail from now on, or no more. */
    void failWrites(boolean fail) throws IOException {
        set(2, fail ? 1 : 0);
    }

    private void set(int number, long value) throws IOException {
        ByteBuffer word =
                ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder()).putLong(value);
        try (FileChannel file = FileChannel.open(control, StandardOpenOption.WRITE)) {
            file.write(word.flip(), (long) number * Long.BYTES);
        }
    }
}
