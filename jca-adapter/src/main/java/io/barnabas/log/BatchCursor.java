package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Walks the batch headers of a segment file from a position, reading ahead by chunks. Used by look-ups (a few headers), by recovery
 * (all of them, with their CRC) and by searches by time.
 *
 * <p>One thread; the chunk is borrowed from the thread, so two cursors of a thread must not be used in turns unless each has its own.
 */
final class BatchCursor {
    private static final int CHUNK = 8 << 10;
    private static final ThreadLocal<ByteBuffer> CHUNKS =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(CHUNK));

    private static final int SCAN_CHUNK = 256 << 10;
    private static final ThreadLocal<ByteBuffer> SCAN_CHUNKS =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(SCAN_CHUNK));

    private final SegmentFile file;
    private final int end;
    private final ByteBuffer chunk;
    private int chunkStart;
    private int chunkLength;
    private int position; // of the present batch
    private int size; // of the present batch; 0 before the first
    private int at; // of the present batch in the chunk
    private @Nullable String fault;

    private BatchCursor(SegmentFile file, int from, int end, ByteBuffer chunk) {
        this.file = file;
        this.position = from;
        this.end = end;
        this.chunk = chunk;
    }

    /** For a few batches: with the thread's small chunk. */
    static BatchCursor over(SegmentFile file, int from, int end) {
        return new BatchCursor(file, from, end, CHUNKS.get());
    }

    /** For whole segments: with the thread's large chunk, so that a small look-up may be done in between. */
    static BatchCursor scan(SegmentFile file, int from, int end) {
        return new BatchCursor(file, from, end, SCAN_CHUNKS.get());
    }

    /** Goes to the next batch; false at the end, or where what follows cannot be a batch ({@link #fault}). */
    boolean next() throws IOException {
        int next = position + size;
        if (next >= end) {
            position = next;
            size = 0;
            return false;
        }
        if (end - next < BatchHeader.SIZE) {
            return stop(next, "the file ends in a header");
        }
        ensure(next, BatchHeader.SIZE);
        int here = next - chunkStart;
        int bytes = BatchHeader.sizeInBytes(chunk, here);
        if (bytes < BatchHeader.SIZE) {
            return stop(next, "impossible batch length " + bytes);
        }
        if (bytes > end - next) {
            return stop(next, "the file ends in a batch");
        }
        if (BatchHeader.magic(chunk, here) != 2) {
            return stop(next, "magic " + BatchHeader.magic(chunk, here));
        }
        position = next;
        size = bytes;
        at = here;
        return true;
    }

    private boolean stop(int where, String why) {
        position = where;
        size = 0;
        fault = why;
        return false;
    }

    /** Why the walk ended before the end; null if it did not. */
    @Nullable
    String fault() {
        return fault;
    }

    /** Where the present batch begins; after the last, where it ended. */
    int position() {
        return position;
    }

    int size() {
        return size;
    }

    /** The buffer that holds the present header, at {@link #at}. */
    ByteBuffer header() {
        return chunk;
    }

    int at() {
        return at;
    }

    long baseOffset() {
        return BatchHeader.baseOffset(chunk, at);
    }

    long lastOffset() {
        return BatchHeader.lastOffset(chunk, at);
    }

    long maxTimestamp() {
        return BatchHeader.maxTimestamp(chunk, at);
    }

    /** A copy of the present batch. */
    ByteBuffer copy() throws IOException {
        ByteBuffer copy = ByteBuffer.allocate(size);
        file.readFully(copy, position);
        return copy.flip();
    }

    /** Whether the present batch's CRC is right; reads it through the chunk, whatever its size. The header stays readable. */
    boolean crcMatches() throws IOException {
        CRC32C crc = new CRC32C();
        int stored = chunk.getInt(at + BatchHeader.CRC);
        int from = position + BatchHeader.ATTRIBUTES;
        int until = position + size;
        while (from < until) {
            ensure(from, 1);
            int here = from - chunkStart;
            int n = Math.min(until - from, chunkLength - here);
            crc.update(chunk.slice(here, n));
            from += n;
        }
        ensure(position, BatchHeader.SIZE);
        at = position - chunkStart;
        return (int) crc.getValue() == stored;
    }

    private void ensure(int from, int bytes) throws IOException {
        if (from >= chunkStart && from + bytes <= chunkStart + chunkLength) {
            return;
        }
        chunk.clear().limit(Math.min(chunk.capacity(), end - from));
        chunkLength = file.read(chunk, from);
        chunkStart = from;
        chunk.clear();
        if (chunkLength < bytes) {
            throw new java.io.EOFException(file.name() + " ends at " + (from + chunkLength) + " before " + end);
        }
    }
}
