package io.barnabas.log;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.InvalidRecordException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the varints of a batch's records, either in place over the received buffer or over a decompressing stream, through one
 * fixed chunk: it allocates nothing and never holds more than that chunk of what a stream yields.
 *
 * <p>Every way to run out of bytes, and whatever a decompressor throws at damaged input, becomes an
 * {@link InvalidRecordException}. Used by one thread at a time ({@link RecordWalker}).
 */
final class RecordReader {
    /** What a batch may inflate to; beyond it, it is a decompression bomb and refused. Bounds the time one batch can take. */
    static final long MAX_INFLATED_BYTES = 256L << 20;

    private static final int CHUNK_BYTES = 16 * 1024;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final byte[] chunk = new byte[CHUNK_BYTES];
    private final ByteBuffer chunkView = ByteBuffer.wrap(chunk);
    private ByteBuffer source = NOTHING;
    private @Nullable InputStream inflater;
    private int at;
    private int limit;
    private long consumedBefore; // bytes of earlier chunks, less the present chunk's start

    /** Reads {@code buffer} from {@code from} to {@code to}, in place. */
    void open(ByteBuffer buffer, int from, int to) {
        source = buffer;
        inflater = null;
        at = from;
        limit = to;
        consumedBefore = -(long) from;
    }

    /** Reads what {@code stream} yields. The caller closes it. */
    void open(InputStream stream) {
        source = chunkView;
        inflater = stream;
        at = 0;
        limit = 0;
        consumedBefore = 0;
    }

    /** Lets go of buffer and stream. */
    void release() {
        source = NOTHING;
        inflater = null;
    }

    /** Bytes read so far. */
    long position() {
        return consumedBefore + at;
    }

    /** Whether all is read; asks a stream for at most one chunk more. */
    boolean atEnd() {
        return at == limit && !refill();
    }

    byte next() {
        if (at == limit && !refill()) {
            throw new InvalidRecordException("The batch ends within a record");
        }
        return source.get(at++);
    }

    /** Steps over {@code count} bytes; none if it is negative, as the length of a null is. */
    void skip(int count) {
        int left = count;
        while (left > limit - at) {
            left -= limit - at;
            at = limit;
            if (!refill()) {
                throw new InvalidRecordException("The batch ends within a record");
            }
        }
        if (left > 0) {
            at += left;
        }
    }

    /** A zig-zag varint of at most five bytes. */
    int varint() {
        int raw = next();
        if (raw < 0) {
            raw = restOfVarint(raw & 0x7f);
        }
        return (raw >>> 1) ^ -(raw & 1);
    }

    private int restOfVarint(int firstBits) {
        int value = firstBits;
        for (int shift = 7; shift <= 28; shift += 7) {
            byte b = next();
            value |= (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new InvalidRecordException("A varint is longer than five bytes");
    }

    /** A zig-zag varlong of at most ten bytes. */
    long varlong() {
        long raw = next();
        if (raw < 0) {
            raw = restOfVarlong(raw & 0x7f);
        }
        return (raw >>> 1) ^ -(raw & 1);
    }

    private long restOfVarlong(long firstBits) {
        long value = firstBits;
        for (int shift = 7; shift <= 63; shift += 7) {
            byte b = next();
            value |= (b & 0x7fL) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new InvalidRecordException("A varlong is longer than ten bytes");
    }

    /** Fetches the next chunk of a stream; false at its end, and always false in place. */
    private boolean refill() {
        InputStream stream = inflater;
        if (stream == null) {
            return false;
        }
        int read = readChunk(stream);
        if (read < 0) {
            return false;
        }
        consumedBefore += limit;
        at = 0;
        limit = read;
        if (consumedBefore + read > MAX_INFLATED_BYTES) {
            throw new InvalidRecordException("The batch inflates to more than " + MAX_INFLATED_BYTES + " bytes");
        }
        return true;
    }

    /** Bytes read into the chunk, at least one; or -1 at the end. */
    private int readChunk(InputStream stream) {
        try {
            int read = stream.read(chunk, 0, CHUNK_BYTES);
            if (read != 0) {
                return read;
            }
            int single = stream.read(); // a decompressor between two blocks may answer 0
            if (single < 0) {
                return -1;
            }
            chunk[0] = (byte) single;
            return 1;
        } catch (IOException | RuntimeException e) {
            throw new InvalidRecordException("The batch does not decompress", e);
        }
    }
}
