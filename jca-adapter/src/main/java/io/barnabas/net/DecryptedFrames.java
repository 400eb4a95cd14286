package io.barnabas.net;

import io.barnabas.wire.SliceRegion;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.util.ArrayDeque;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands between TLS and the {@link FrameDecoder}, for both as the socket would be: what was decrypted is read into the buffers that the
 * decoder chooses and only while it reads, and of the log what is to be encrypted is read, since no file can be sent as it is. Its state
 * belongs to the connection's event loop.
 */
// A close that fails has nothing to be done about it.
@SuppressWarnings("FutureReturnValueIgnored")
final class DecryptedFrames extends ChannelDuplexHandler {
    private static final Logger LOG = LoggerFactory.getLogger(DecryptedFrames.class);
    /** Of the log, read at once. */
    private static final int PART_BYTES = 256 * 1024;

    private final FrameDecoder frames;
    private final FrameContext context;
    /** Decrypted while the decoder paused: no more than TLS had received by then. */
    private final ArrayDeque<ByteBuf> decrypted = new ArrayDeque<>(2);

    private boolean handing;

    DecryptedFrames(FrameDecoder frames, FrameContext context) {
        this.frames = frames;
        this.context = context;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        decrypted.addLast((ByteBuf) message);
        handOn(ctx);
    }

    /** The decoder, or the socket's turn, wants more. */
    @Override
    public void read(ChannelHandlerContext ctx) {
        if (!handing && !decrypted.isEmpty()) {
            handOn(ctx);
            ctx.fireChannelReadComplete();
        }
        ctx.read();
    }

    private void handOn(ChannelHandlerContext ctx) {
        if (handing) {
            return; // an answer given within the call below made the decoder go on: so does the loop
        }
        handing = true;
        try {
            while (!decrypted.isEmpty() && ctx.channel().config().isAutoRead()) {
                ByteBuf from = decrypted.getFirst();
                ByteBuf to = frames.receiver().next(ctx.alloc());
                to.writeBytes(from, Math.min(to.writableBytes(), from.readableBytes()));
                if (!from.isReadable()) {
                    decrypted.removeFirst().release();
                }
                ctx.fireChannelRead(to);
            }
        } finally {
            handing = false;
        }
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (message instanceof SliceRegion region) {
            writeRead(ctx, region, promise);
        } else {
            ctx.write(message, promise);
        }
    }

    private static void writeRead(ChannelHandlerContext ctx, SliceRegion region, ChannelPromise promise) {
        try {
            int size = (int) region.count();
            for (int at = 0; at < size; at += PART_BYTES) {
                ByteBuf part = region.read(ctx.alloc(), at, Math.min(PART_BYTES, size - at));
                ctx.write(part, at + PART_BYTES < size ? ctx.voidPromise() : promise);
            }
        } catch (IOException e) {
            LOG.warn(
                    "connection closed: the log cannot be read; remote={}",
                    ctx.channel().remoteAddress(),
                    e);
            ctx.close();
        } finally {
            region.release();
        }
    }

    /** Whoever has no key of the cluster is told no more than TLS tells. */
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Throwable reason = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (!(reason instanceof SSLException)) {
            ctx.fireExceptionCaught(cause);
            return;
        }
        if (context.logLimit().allows()) {
            LOG.warn(
                    "connection closed: TLS between nodes failed, do all have the same barnabas.cluster.key? {}; remote={}",
                    reason instanceof NotSslRecordException ? "It does not speak TLS" : reason.getMessage(),
                    ctx.channel().remoteAddress());
        }
        ctx.close();
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

    private void forget() {
        decrypted.forEach(ByteBuf::release);
        decrypted.clear();
    }
}
