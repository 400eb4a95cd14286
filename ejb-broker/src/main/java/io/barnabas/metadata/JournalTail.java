package io.barnabas.metadata;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts off a last journal entry that a loss of power left half written, before Ratis reads the journal: Ratis knows one that is too
 * short, but takes one of the right length with wrong bytes for damage, and does not start. Such an entry was never forced, so it was
 * never acknowledged. Damage with anything but zeros behind it is left as it is, and the start refused: it may be of entries that were.
 *
 * <p>Layout of Ratis's open segment, {@code log_inprogress_N}: eight bytes of header, then for each entry its length as a varint, its
 * bytes, and the CRC-32C of both, big-endian; zeros may follow. For the thread that starts the journal, before it does.
 */
final class JournalTail {
    private static final Logger LOG = LoggerFactory.getLogger(JournalTail.class);
    /** Before the first entry of a segment. */
    static final int HEADER_BYTES = 8;

    private static final int CRC_BYTES = 4;
    private static final int VARINT_BYTES_MAX = 5;

    private JournalTail() {}

    /** Looks at every open segment below {@code journal}; there is at most one as a rule. */
    static void mend(Path journal) throws IOException {
        if (!Files.isDirectory(journal)) {
            return;
        }
        List<Path> open;
        try (Stream<Path> files = Files.walk(journal, 3)) {
            open = files.filter(f -> f.getFileName().toString().startsWith("log_inprogress_"))
                    .toList();
        }
        for (Path segment : open) {
            mendSegment(segment);
        }
    }

    private static void mendSegment(Path segment) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(segment));
        if (bytes.limit() <= HEADER_BYTES) {
            return;
        }
        bytes.position(HEADER_BYTES);
        int start = bytes.position();
        while (nextEntry(bytes) != null) {
            start = bytes.position();
        }
        int end = bytes.position();
        if (end > start && isZeroFrom(bytes, end)) {
            LOG.warn("A half written last entry is cut off the metadata journal: file={} position={}", segment, start);
            try (RandomAccessFile file = new RandomAccessFile(segment.toFile(), "rw")) {
                file.setLength(start);
                file.getFD().sync();
            }
        }
    }

    /**
     * Reads an entry: its bytes. If there is a whole one with the wrong sum, the position is after it, and the answer null; if there is
     * none, the position is where it was.
     */
    static @Nullable ByteBuffer nextEntry(ByteBuffer bytes) {
        int start = bytes.position();
        long length = 0;
        int varintBytes = 0;
        byte next = -1;
        while (next < 0 && varintBytes < VARINT_BYTES_MAX && start + varintBytes < bytes.limit()) {
            next = bytes.get(start + varintBytes);
            length |= (long) (next & 0x7f) << (7 * varintBytes++);
        }
        long end = start + varintBytes + length + CRC_BYTES;
        if (length == 0 || next < 0 || end > bytes.limit()) {
            return null;
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(start, (int) (varintBytes + length)));
        bytes.position((int) end);
        return (int) crc.getValue() == bytes.getInt((int) end - CRC_BYTES)
                ? bytes.slice(start + varintBytes, (int) length)
                : null;
    }

    static boolean isZeroFrom(ByteBuffer bytes, int position) {
        for (int i = position; i < bytes.limit(); i++) {
            if (bytes.get(i) != 0) {
                return false;
            }
        }
        return true;
    }
}
