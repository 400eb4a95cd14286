package io.barnabas.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Reads a segment in chunks of whole batches for the compactor, and checks their CRCs: a rewrite would give a rotten batch a good one.
 * The buffer grows only for a batch that is larger than it, as far as that batch. One thread.
 */
final class BatchChunks {
    private final SegmentFile file;
    private final int end;
    private ByteBuffer buffer;
    private int position;

    /** @param buffer to begin with; {@link #buffer} tells what it became */
    BatchChunks(SegmentFile file, int from, ByteBuffer buffer) {
        this.file = file;
        this.position = from;
        this.end = file.size();
        this.buffer = buffer;
    }

    /** Reads whole batches from the present position; false at the segment's end. */
    boolean next() throws IOException {
        if (position >= end) {
            return false;
        }
        fill();
        int whole = wholeBatches();
        if (whole == 0) {
            grow();
            fill();
            whole = wholeBatches();
        }
        if (whole == 0) {
            throw damaged();
        }
        buffer.limit(whole);
        return true;
    }

    /** What {@link #next} read; valid until it is called again. */
    MemoryRecords records() {
        return MemoryRecords.readableRecords(buffer.duplicate());
    }

    ByteBuffer buffer() {
        return buffer;
    }

    /** Goes on behind the first {@code bytes} of what was read. */
    void consume(int bytes) {
        position += bytes;
    }

    private void fill() throws IOException {
        buffer.clear().limit(Math.min(buffer.capacity(), end - position));
        file.readFully(buffer, position);
        buffer.flip();
    }

    private int wholeBatches() {
        int at = 0;
        while (buffer.limit() - at >= BatchHeader.SIZE) {
            int size = BatchHeader.sizeInBytes(buffer, at);
            if (size < BatchHeader.SIZE || size > end - position - at || BatchHeader.magic(buffer, at) != 2) {
                throw damaged();
            }
            if (size > buffer.limit() - at) {
                break;
            }
            if (!BatchHeader.crcMatches(buffer, at, size)) {
                throw damaged();
            }
            at += size;
        }
        return at;
    }

    private void grow() {
        if (buffer.limit() < BatchHeader.SIZE) {
            throw damaged();
        }
        buffer = ByteBuffer.allocate(BatchHeader.sizeInBytes(buffer, 0));
    }

    private CorruptRecordException damaged() {
        return new CorruptRecordException("Damaged batch in " + file.name() + " at or behind " + position);
    }
}
