package io.barnabas.wire;

import io.barnabas.log.LogSlice;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultFileRegion;
import java.io.EOFException;
import java.io.IOException;

/**
 * A {@link LogSlice} on its way to a socket: {@code sendfile} on epoll, {@code transferTo} elsewhere. It is a
 * {@link DefaultFileRegion} because Netty's epoll transport sends no other region without copying; unlike its parent it leaves the
 * segment's channel open and gives the slice back instead.
 */
public final class SliceRegion extends DefaultFileRegion {
    private final LogSlice slice;

    SliceRegion(LogSlice slice) {
        super(slice.channel(), slice.position(), slice.sizeInBytes());
        this.slice = slice;
    }

    /**
     * A part of the slice, read, for a connection that cannot send the file itself.
     *
     * @throws IOException if it cannot be read, or the file ends within it
     */
    public ByteBuf read(ByteBufAllocator buffers, int from, int bytes) throws IOException {
        ByteBuf part = buffers.directBuffer(bytes, bytes);
        try {
            while (part.isWritable()) {
                long position = slice.position() + from + part.writerIndex();
                if (part.writeBytes(slice.channel(), position, part.writableBytes()) < 0) {
                    throw new EOFException("The segment ends within the slice");
                }
            }
            return part;
        } catch (IOException | RuntimeException e) {
            part.release();
            throw e;
        }
    }

    @Override
    protected void deallocate() {
        slice.release();
    }
}
