package io.barnabas.wire;

import io.barnabas.log.LogSlice;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.Writable;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Writes one message into one buffer for kafka-clients' generated messages. Records are not copied into it: the buffer is cut where
 * they belong and they go between the cuts. Used by {@link ResponseEncoder} and {@link RequestEncoder}, for one message each.
 */
final class FrameWriter implements Writable {
    private final ByteBuf buffer;
    private final int copyBelowBytes;
    private final List<Object> parts;
    private int cut; // up to here the buffer is in parts

    FrameWriter(ByteBuf buffer, int copyBelowBytes) {
        this.buffer = buffer;
        this.copyBelowBytes = copyBelowBytes;
        this.parts = new ArrayList<>(1);
    }

    /** The parts of the message; the writer's buffer is theirs now. */
    List<Object> finish() {
        if (parts.isEmpty()) {
            parts.add(buffer);
            return parts;
        }
        cutHere();
        buffer.release();
        return parts;
    }

    /** Gives everything back. */
    void abandon() {
        parts.forEach(ReferenceCountUtil::safeRelease);
        buffer.release();
    }

    @Override
    public void writeRecords(BaseRecords records) {
        if (records instanceof LogSlice slice) {
            writeSlice(slice);
        } else if (records instanceof MemoryRecords memory) {
            if (memory.sizeInBytes() > 0) {
                cutHere();
                parts.add(Unpooled.wrappedBuffer(memory.buffer()));
            }
        } else {
            throw new IllegalArgumentException(
                    "records of " + records.getClass().getName() + " cannot be sent");
        }
    }

    private void writeSlice(LogSlice slice) {
        int size = slice.sizeInBytes();
        if (size > 0 && size >= copyBelowBytes && regionsWorkWith(slice.channel())) {
            cutHere();
            parts.add(new SliceRegion(slice));
            return;
        }
        try {
            readSlice(slice, size);
        } finally {
            slice.release();
        }
    }

    /** A small slice costs less copied than as a system call of its own and the two packets around it. */
    private void readSlice(LogSlice slice, int size) {
        buffer.ensureWritable(size);
        ByteBuffer target = buffer.nioBuffer(buffer.writerIndex(), size);
        long position = slice.position();
        try {
            while (target.hasRemaining()) {
                int read = slice.channel().read(target, position);
                if (read <= 0) {
                    throw new IOException("the segment ends " + target.remaining() + " bytes too early");
                }
                position += read;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        buffer.writerIndex(buffer.writerIndex() + size);
    }

    /** The epoll transport reads the descriptor out of the JDK's own channel class; any other would crash it. */
    private static boolean regionsWorkWith(FileChannel channel) {
        return channel.getClass().getName().equals("sun.nio.ch.FileChannelImpl");
    }

    private void cutHere() {
        int end = buffer.writerIndex();
        if (end > cut) {
            parts.add(buffer.retainedSlice(cut, end - cut));
            cut = end;
        }
    }

    @Override
    public void writeByte(byte value) {
        buffer.writeByte(value);
    }

    @Override
    public void writeShort(short value) {
        buffer.writeShort(value);
    }

    @Override
    public void writeInt(int value) {
        buffer.writeInt(value);
    }

    @Override
    public void writeLong(long value) {
        buffer.writeLong(value);
    }

    @Override
    public void writeDouble(double value) {
        buffer.writeDouble(value);
    }

    @Override
    public void writeByteArray(byte[] value) {
        buffer.writeBytes(value);
    }

    @Override
    public void writeByteBuffer(ByteBuffer value) {
        buffer.writeBytes(value.duplicate());
    }

    @Override
    public void writeUnsignedVarint(int value) {
        int rest = value;
        while ((rest & ~0x7f) != 0) {
            buffer.writeByte((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        buffer.writeByte(rest);
    }

    @Override
    public void writeVarint(int value) {
        writeUnsignedVarint((value << 1) ^ (value >> 31));
    }

    @Override
    public void writeVarlong(long value) {
        long rest = (value << 1) ^ (value >> 63);
        while ((rest & ~0x7fL) != 0) {
            buffer.writeByte((int) (rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        buffer.writeByte((int) rest);
    }
}
