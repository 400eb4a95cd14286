package io.barnabas.metadata;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Room on the journal's disk that is the journal's alone: a file that holds it while there is plenty, and is deleted when the disk is full.
 * A voter then goes on although its broker can take no records. Without it the disk's being full would be the end of the voter, and if that
 * is just in an election, for good: Ratis then puts an empty file into the place of the one that says whom it voted for.
 *
 * <p>One thread at a time, a worker that looks at the disks.
 */
public final class JournalReserve {
    /** Enough for hours of changes of metadata. */
    public static final long BYTES = 8 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(JournalReserve.class);
    private static final int PLENTY = 4;
    private static final int BLOCK = 1 << 16;

    private final Path file;
    private final LongSupplier usableBytes;

    /** @param directory of the metadata */
    public JournalReserve(Path directory) {
        this(directory, directory.toFile()::getUsableSpace);
    }

    /** @param usableBytes what the directory's disk has left */
    JournalReserve(Path directory, LongSupplier usableBytes) {
        this.usableBytes = usableBytes;
        this.file = directory.resolve("reserve");
    }

    /**
     * The disk can be written, or it cannot: takes the room, or gives it to the journal.
     *
     * @return the bytes that others must leave to the journal from now on
     */
    public long onDisk(boolean writable) {
        try {
            if (!writable) {
                if (Files.deleteIfExists(file)) {
                    LOG.warn("The journal lives on its reserve, its disk is full: bytes={} file={}", BYTES, file);
                }
                return BYTES;
            }
            if (!isWhole() && usableBytes.getAsLong() >= PLENTY * BYTES) {
                take();
            }
        } catch (IOException e) {
            LOG.debug("The journal's reserve was not changed: file={}", file, e);
        }
        return isWhole() ? 0 : BYTES;
    }

    private boolean isWhole() {
        return file.toFile().length() == BYTES; // 0 if it is not there
    }

    private void take() throws IOException {
        try (OutputStream out = new FileOutputStream(file.toFile())) {
            byte[] block = new byte[BLOCK];
            for (long written = 0; written < BYTES; written += BLOCK) {
                out.write(block);
            }
        }
    }
}
