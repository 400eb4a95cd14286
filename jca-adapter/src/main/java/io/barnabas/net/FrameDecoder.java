package io.barnabas.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts the stream into frames: four bytes of length, then so many bytes. First in the pipeline; hands each frame as a
 * {@link java.nio.ByteBuffer}, valid during the call, to the {@link ConnectionHandler}, or to the {@link PeerChannel} on a connection to
 * another broker. A frame is decoded where it was received: if
 * the buffer it began in is too small it moves once, to one of its own size, and the rest is read into that one.
 *
 * <p>Also the tap of the connection: {@link #pause} stops reading and decoding, for as long as there is a {@link Pause reason} to.
 * All state belongs to the connection's event loop.
 */
// A close that fails has nothing to be done about it; buffers are compared by identity.
@SuppressWarnings({"FutureReturnValueIgnored", "ReferenceEquality"})
final class FrameDecoder extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(FrameDecoder.class);
    private static final int LENGTH_BYTES = 4;

    private final FrameContext context;
    private final FrameReceiver receiver = new FrameReceiver(this);
    private @Nullable ByteBuf begun; // received and not decoded yet; it has room for the rest of its frame
    private int reservedBytes;
    private long keptBytes; // by requests that wait with their records
    private int pauses;
    private boolean decoding;
    private volatile long receivedNanos; // read by any thread
    private volatile boolean received; // anything
    private long begunNanos;
    private boolean waitsForRest;

    FrameDecoder(FrameContext context) {
        this.context = context;
        this.receivedNanos = context.clock().nanoTime();
    }

    /** Why a connection is not read. */
    enum Pause {
        /** As many requests are unanswered as are allowed. */
        IN_FLIGHT(1),
        /** The client does not take its answers. */
        ANSWERS_WAIT(2),
        /** All connections together hold as much as is allowed. */
        MEMORY(4),
        /** The server stops. */
        STOPPING(8),
        /** Its own requests keep memory, and all connections together hold as much as is allowed. */
        KEPT(16);

        private final int bit;

        Pause(int bit) {
            this.bit = bit;
        }

        private int bit() {
            return bit;
        }
    }

    FrameReceiver receiver() {
        return receiver;
    }

    @Nullable
    ByteBuf begun() {
        return begun;
    }

    /** Monotonic time of the last bytes. */
    long receivedNanos() {
        return receivedNanos;
    }

    /** Whether bytes have come within that time; safe from any thread. */
    boolean hasReceivedWithin(long nanos) {
        return received && context.clock().nanoTime() - receivedNanos < nanos;
    }

    /** The client has sent a part of a frame, we want the rest, and the part began to wait at {@link #begunNanos}. */
    boolean waitsForRest() {
        return waitsForRest && pauses == 0;
    }

    long begunNanos() {
        return begunNanos;
    }

    void pause(ChannelHandlerContext ctx, Pause reason) {
        if (pauses == 0) {
            ctx.channel().config().setAutoRead(false);
        }
        pauses |= reason.bit();
    }

    boolean paused(Pause reason) {
        return (pauses & reason.bit()) != 0;
    }

    /** Takes a reason away; with the last one, what was received is decoded and reading goes on. */
    void resume(ChannelHandlerContext ctx, Pause reason) {
        if (!paused(reason)) {
            return;
        }
        pauses &= ~reason.bit();
        if (pauses != 0) {
            return;
        }
        if (!decoding && begun != null) {
            begunNanos = context.clock().nanoTime();
            ByteBuf held = begun;
            decode(decoderContext(ctx), held);
            ctx.pipeline().fireChannelReadComplete();
        }
        if (pauses == 0 && ctx.channel().isOpen()) {
            ctx.channel().config().setAutoRead(true);
        }
    }

    /**
     * Counts memory that a request keeps longer than its frame. The frame was received within the bound or in one receive buffer, so that
     * each connection passes the bound by no more than that before it is paused. It waits for its own requests alone, which end by time:
     * connections that are paused may hold the rest of the room with frames they have begun.
     */
    void onKept(ChannelHandlerContext ctx, int bytes) {
        keptBytes += bytes;
        if (!context.budget().charge(bytes)) {
            pause(ctx, Pause.KEPT);
        }
    }

    /** What was kept is the budget's again. */
    void onReleased(ChannelHandlerContext ctx, int bytes) {
        keptBytes -= bytes;
        if (keptBytes == 0) {
            resume(ctx, Pause.KEPT);
        }
    }

    private ChannelHandlerContext decoderContext(ChannelHandlerContext any) {
        ChannelHandlerContext own = any.pipeline().context(this);
        return own == null ? any : own;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        receivedNanos = context.clock().nanoTime();
        if (!received) {
            received = true;
        }
        if (bytes == begun) {
            bytes.release(); // the receiver retained it for the read
        } else if (begun == null) {
            begun = bytes;
        } else {
            bytes.release();
            throw new IllegalStateException("received beside an unfinished frame");
        }
        decode(ctx, bytes);
    }

    private void decode(ChannelHandlerContext ctx, ByteBuf buffer) {
        if (decoding) {
            return; // an answer given within dispatch resumed us: the loop below goes on
        }
        decoding = true;
        try {
            while (pauses == 0 && ctx.channel().isOpen() && nextFrame(ctx, buffer)) {
                // each turn hands on one frame
            }
        } finally {
            decoding = false;
        }
        if (!buffer.isReadable() || !ctx.channel().isOpen()) {
            forget();
        } else if (pauses == 0) {
            awaitRest(ctx, buffer);
        }
    }

    /** Hands on the next frame; false if it is not complete. */
    private boolean nextFrame(ChannelHandlerContext ctx, ByteBuf buffer) {
        if (buffer.readableBytes() < LENGTH_BYTES) {
            return false;
        }
        int length = buffer.getInt(buffer.readerIndex());
        if (length < 0 || length > context.maxFrameBytes()) {
            refuse(ctx, length);
            return false;
        }
        if (buffer.readableBytes() - LENGTH_BYTES < length) {
            return false;
        }
        int start = buffer.readerIndex() + LENGTH_BYTES;
        buffer.readerIndex(start + length);
        waitsForRest = false;
        receiver.onFrame(LENGTH_BYTES + length);
        ctx.fireChannelRead(buffer.internalNioBuffer(start, length).slice());
        return true;
    }

    private void refuse(ChannelHandlerContext ctx, int length) {
        if (context.logLimit().allows()) {
            LOG.warn(
                    "connection closed: frame length out of bounds; length={} max={} remote={}",
                    length,
                    context.maxFrameBytes(),
                    ctx.channel().remoteAddress());
        }
        ctx.close();
    }

    /** Makes sure that {@link #begun} has room for the rest of its frame and that the room is paid for. */
    private void awaitRest(ChannelHandlerContext ctx, ByteBuf buffer) {
        int readable = buffer.readableBytes();
        int frame = LENGTH_BYTES + (readable < LENGTH_BYTES ? 0 : buffer.getInt(buffer.readerIndex()));
        boolean fits = buffer.capacity() - buffer.readerIndex() >= frame;
        int room = fits ? buffer.capacity() : Math.max(frame, receiver.expectedBytes());
        if (reservedBytes < room && !reserve(ctx, room)) {
            return;
        }
        if (!fits) {
            ByteBuf larger = ctx.alloc().directBuffer(room, room);
            larger.writeBytes(buffer);
            buffer.release();
            begun = larger;
        }
        if (!waitsForRest) { // a frame keeps the time at which it began, however often a part of it arrives
            waitsForRest = true;
            begunNanos = receivedNanos;
        }
    }

    private boolean reserve(ChannelHandlerContext ctx, int bytes) {
        int more = bytes - reservedBytes;
        if (context.budget().tryReserve(more)) {
            reservedBytes = bytes;
            return true;
        }
        pause(ctx, Pause.MEMORY);
        context.budget().onRoom(() -> ctx.executor().execute(() -> resume(ctx, Pause.MEMORY)));
        return false;
    }

    private void forget() {
        if (begun != null) {
            begun.release();
            begun = null;
        }
        if (reservedBytes > 0) {
            int bytes = reservedBytes;
            reservedBytes = 0;
            context.budget().release(bytes);
        }
        waitsForRest = false;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        forget();
        ctx.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        forget();
    }
}
