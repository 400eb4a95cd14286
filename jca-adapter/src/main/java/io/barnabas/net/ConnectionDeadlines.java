package io.barnabas.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes a connection that is idle ({@code connections.max.idle.ms}), that sends a frame too slowly, or that takes none of its
 * answers. Looks now and then instead of arming a timer for every read, so that a busy connection pays nothing; a deadline is kept
 * to a quarter of its length. On the connection's event loop.
 */
// A write that fails closes the channel, and the pipeline tells of that.
@SuppressWarnings("FutureReturnValueIgnored")
final class ConnectionDeadlines extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionDeadlines.class);

    private final SocketContext sockets;
    private final FrameDecoder frames;
    private final ConnectionHandler connection;
    private final long idleNanos;
    private final long frameNanos;
    private @Nullable Future<?> next;
    private long sentNanos;
    private long sentMark;

    ConnectionDeadlines(SocketContext sockets, FrameDecoder frames, ConnectionHandler connection) {
        this.sockets = sockets;
        this.frames = frames;
        this.connection = connection;
        long idleMs = sockets.settings().connectionsMaxIdleMs();
        this.idleNanos = idleMs < 0 ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(idleMs);
        this.frameNanos = TimeUnit.MILLISECONDS.toNanos(sockets.bounds().frameTimeoutMs());
        this.sentNanos = sockets.clock().nanoTime();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        schedule(ctx);
        ctx.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (next != null) {
            next.cancel(false);
        }
        ctx.fireChannelInactive();
    }

    private void schedule(ChannelHandlerContext ctx) {
        long period = Math.max(TimeUnit.MILLISECONDS.toNanos(5), Math.min(idleNanos, frameNanos) / 4);
        next = ctx.executor().schedule(() -> look(ctx), period, TimeUnit.NANOSECONDS);
    }

    private void look(ChannelHandlerContext ctx) {
        long now = sockets.clock().nanoTime();
        boolean unsent = markProgress(ctx.channel(), now);
        if (frames.waitsForRest() && now - frames.begunNanos() > frameNanos) {
            close(ctx, "a request frame was not sent in time");
            return;
        }
        boolean waitsForUs = connection.inFlight() > 0 && !unsent;
        if (!waitsForUs && now - frames.receivedNanos() > idleNanos && now - sentNanos > idleNanos) {
            close(ctx, unsent ? "answers are not taken" : "idle");
            return;
        }
        schedule(ctx);
    }

    /** Notes whether bytes left since the last look; returns whether some are left. */
    private boolean markProgress(Channel channel, long now) {
        @Nullable ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
        if (outbound == null) {
            return false;
        }
        long mark = outbound.totalPendingWriteBytes();
        mark = mark * 31 + outbound.currentProgress();
        if (mark != sentMark) {
            sentMark = mark;
            sentNanos = now;
        }
        return outbound.totalPendingWriteBytes() > 0;
    }

    private static void close(ChannelHandlerContext ctx, String why) {
        LOG.debug("connection closed: {}; remote={}", why, ctx.channel().remoteAddress());
        ctx.close();
    }
}
