package io.barnabas.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * Chooses the buffer of a connection's next read: the rest of the frame that has begun, or a fresh one as large as the last frames
 * were. So a frame is received where it is decoded, and an idle connection holds no buffer. One for each connection, on its event loop.
 */
final class FrameReceiver extends DefaultMaxMessagesRecvByteBufAllocator {
    private static final int SMALLEST_BYTES = 4 * 1024;
    private static final int LARGEST_BYTES = 1 << 20;

    /** From here on a buffer is made for one frame, with a little room: what it holds of the next frame has to be moved. */
    private static final int LARGE_FRAME_BYTES = 64 * 1024;

    private static final int SLACK_BYTES = 4 * 1024;

    /** Reads of one turn, as long as each fills its buffer: more would hold the answers of the first back. */
    private static final int READS_A_TURN = 4;

    private final FrameDecoder decoder;
    private int expectedBytes = SMALLEST_BYTES;

    FrameReceiver(FrameDecoder decoder) {
        super(READS_A_TURN);
        this.decoder = decoder;
    }

    /** Learns from a frame: sizes go up at once and come down slowly. */
    void onFrame(int bytes) {
        if (bytes > LARGE_FRAME_BYTES && bytes > expectedBytes / 4) {
            expectedBytes = Math.min(LARGEST_BYTES, bytes + SLACK_BYTES);
            return;
        }
        int wanted = bytes + 512;
        if (wanted > expectedBytes) {
            expectedBytes = Integer.highestOneBit(wanted - 1) << 1;
        } else if (wanted < expectedBytes / 4) {
            expectedBytes = Math.max(SMALLEST_BYTES, expectedBytes - expectedBytes / 8);
        }
    }

    /** Size of the next fresh buffer. */
    int expectedBytes() {
        return expectedBytes;
    }

    /** What the next bytes go into: the frame that has begun, retained, or a fresh buffer. */
    ByteBuf next(ByteBufAllocator buffers) {
        ByteBuf begun = decoder.begun();
        return begun == null ? buffers.directBuffer(expectedBytes, expectedBytes) : begun.retain();
    }

    @Override
    public MaxMessageHandle newHandle() {
        return new NextRead();
    }

    private final class NextRead extends MaxMessageHandle {
        @Override
        public ByteBuf allocate(ByteBufAllocator buffers) {
            return next(buffers);
        }

        @Override
        public int guess() {
            return expectedBytes;
        }
    }
}
