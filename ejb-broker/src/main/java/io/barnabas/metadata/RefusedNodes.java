package io.barnabas.metadata;

import io.barnabas.time.Clock;
import io.barnabas.time.SystemClock;
import java.net.SocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLException;
import org.apache.ratis.thirdparty.io.netty.channel.Channel;
import org.apache.ratis.thirdparty.io.netty.channel.ChannelHandlerContext;
import org.apache.ratis.thirdparty.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.NotSslRecordException;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the operator who is refused at the port of the metadata log because it has not the cluster's key: gRPC closes such a connection
 * without a word. Who merely connects and closes, to see whether anybody is there, is not spoken of.
 *
 * <p>First in the pipeline of the listening socket, on the Raft network's threads.
 */
final class RefusedNodes extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(RefusedNodes.class);
    private static final Clock CLOCK = new SystemClock();
    /** A node with another key tries again ten times a second, for ever. */
    private static final long TELL_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final AtomicLong tellAt = new AtomicLong(CLOCK.nanoTime());

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object accepted) {
        ((Channel) accepted).pipeline().addLast(new Connection());
        ctx.fireChannelRead(accepted);
    }

    private void tell(SocketAddress remote, SSLException why) {
        long due = tellAt.get();
        long now = CLOCK.nanoTime();
        if (now - due >= 0 && tellAt.compareAndSet(due, now + TELL_EVERY_NANOS)) {
            LOG.warn(
                    "A node is refused at the port of the metadata, do all have the same barnabas.cluster.key? {}; remote={}",
                    why instanceof NotSslRecordException ? "It does not speak TLS" : why.getMessage(),
                    remote);
        }
    }

    /** Waits for the handshake of one connection. */
    private final class Connection extends ChannelInboundHandlerAdapter {
        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // the listener is told
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.fireChannelActive(); // which puts TLS into the pipeline
            SslHandler tls = ctx.pipeline().get(SslHandler.class);
            if (tls != null) {
                SocketAddress remote = ctx.channel().remoteAddress();
                tls.handshakeFuture().addListener(handshake -> {
                    if (handshake.cause() instanceof SSLException why) {
                        tell(remote, why);
                    }
                });
            }
        }
    }
}
