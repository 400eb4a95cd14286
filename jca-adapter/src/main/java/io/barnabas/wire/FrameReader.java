package io.barnabas.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.protocol.Readable;

/**
 * Reads the fields of one frame for kafka-clients' generated messages. Unlike their own accessor it bounds what a frame can make
 * the heap hold: every element of an array costs at least one read, and a frame has so many reads ({@value #READS_MAX} if it comes
 * from a client). The generated readers compare an array's length with {@link #remaining} before they allocate, so a length beyond that bound is refused before
 * memory is taken. A read makes at most one object of about a hundred bytes besides the bytes it copies: a frame of n bytes
 * becomes at most 2 n + 100 MB of heap, for as long as it is dispatched, and one event loop dispatches one frame at a time.
 *
 * <p>Used by one {@link RequestDecoder} or {@link ResponseDecoder}, on one event loop; reused from frame to frame.
 */
final class FrameReader implements Readable {
    /** Reads of one frame: a fetch of 100,000 partitions needs 800,000. */
    static final int READS_MAX = 1_000_000;

    private static final int SCRATCH_BYTES = 256;

    private final byte[] scratch = new byte[SCRATCH_BYTES];
    private final int readsMax;
    private ByteBuffer buffer;
    private int readsLeft;

    FrameReader(ByteBuffer buffer) {
        this(buffer, READS_MAX);
    }

    FrameReader(ByteBuffer buffer, int readsMax) {
        this.buffer = buffer;
        this.readsMax = readsMax;
        this.readsLeft = readsMax;
    }

    /** Starts over with another frame. */
    void reset(ByteBuffer frame) {
        buffer = frame;
        readsLeft = readsMax;
    }

    private void countRead() {
        if (--readsLeft < 0) {
            throw new IllegalArgumentException("more than " + readsMax + " fields in one frame");
        }
    }

    @Override
    public byte readByte() {
        countRead();
        return buffer.get();
    }

    @Override
    public short readShort() {
        countRead();
        return buffer.getShort();
    }

    @Override
    public int readInt() {
        countRead();
        return buffer.getInt();
    }

    @Override
    public long readLong() {
        countRead();
        return buffer.getLong();
    }

    @Override
    public double readDouble() {
        countRead();
        return buffer.getDouble();
    }

    @Override
    public byte[] readArray(int length) {
        checkLength(length);
        byte[] bytes = new byte[length];
        buffer.get(bytes);
        return bytes;
    }

    @Override
    public String readString(int length) {
        if (length > SCRATCH_BYTES) {
            return new String(readArray(length), StandardCharsets.UTF_8);
        }
        checkLength(length);
        buffer.get(scratch, 0, length);
        return new String(scratch, 0, length, StandardCharsets.UTF_8);
    }

    @Override
    public ByteBuffer readByteBuffer(int length) {
        checkLength(length);
        ByteBuffer view = buffer.slice(buffer.position(), length);
        buffer.position(buffer.position() + length);
        return view;
    }

    @Override
    public int readUnsignedVarint() {
        countRead();
        int value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            byte b = buffer.get();
            value |= (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a varint of more than five bytes");
    }

    @Override
    public int readVarint() {
        int raw = readUnsignedVarint();
        return (raw >>> 1) ^ -(raw & 1);
    }

    @Override
    public long readVarlong() {
        countRead();
        long raw = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            byte b = buffer.get();
            raw |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return (raw >>> 1) ^ -(raw & 1);
            }
        }
        throw new IllegalArgumentException("a varlong of more than ten bytes");
    }

    /** Bytes left, or fewer: no more than there are reads left. What generated readers bound array lengths by. */
    @Override
    public int remaining() {
        return Math.min(buffer.remaining(), readsLeft);
    }

    @Override
    public Readable slice() {
        FrameReader part = new FrameReader(buffer.slice(), readsMax);
        part.readsLeft = readsLeft;
        return part;
    }

    private void checkLength(int length) {
        countRead();
        if (length < 0 || length > buffer.remaining()) {
            throw new IllegalArgumentException(
                    "a field of " + length + " bytes where " + buffer.remaining() + " are left");
        }
    }
}
