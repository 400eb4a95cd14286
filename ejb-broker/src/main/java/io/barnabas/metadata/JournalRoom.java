package io.barnabas.metadata;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns changes of the metadata away while the journal's disk is full. A write of the journal that finds no room ends Ratis for good, and
 * the broker with it; so a change is not begun where it could not be written, and a full disk stays what it is for the partition logs:
 * something that passes. {@link RatisMetadataLog} asks before each proposal. Safe from any thread.
 */
final class JournalRoom {
    /** Left free beside an entry: what others may write on the same disk between the look at it and the journal's own write. */
    static final long RESERVE_BYTES = 4 << 20;

    private static final Logger LOG = LoggerFactory.getLogger(JournalRoom.class);

    private final Path directory;
    private final LongSupplier usableBytes;
    private final AtomicBoolean full = new AtomicBoolean();

    /** @param usableBytes asked at each check: bytes that may still be written below {@code directory} */
    JournalRoom(Path directory, LongSupplier usableBytes) {
        this.directory = directory;
        this.usableBytes = usableBytes;
    }

    /** The room of the disk that holds {@code directory}, which must exist at the first check. */
    static JournalRoom of(Path directory) {
        return new JournalRoom(directory, () -> {
            try {
                return Files.getFileStore(directory).getUsableSpace();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** @throws KafkaStorageException if an entry of this many bytes might not find room; clients try again */
    void check(int entryBytes) {
        long usable;
        try {
            usable = usableBytes.getAsLong();
        } catch (UncheckedIOException e) { // the write itself will tell what is wrong
            LOG.warn("The room for the metadata journal is not known: directory={}", directory, e);
            return;
        }
        boolean tooLittle = usable < RESERVE_BYTES + entryBytes;
        if (full.getAndSet(tooLittle) != tooLittle) {
            if (tooLittle) {
                LOG.warn(
                        "The disk of the metadata journal is full, nothing of the metadata can change: directory={} usableBytes={} neededBytes={}",
                        directory,
                        usable,
                        RESERVE_BYTES + entryBytes);
            } else {
                LOG.info(
                        "The disk of the metadata journal has room again: directory={} usableBytes={}",
                        directory,
                        usable);
            }
        }
        if (tooLittle) {
            throw new KafkaStorageException("The disk of the metadata journal is full");
        }
    }
}
