package io.barnabas.net;

import io.barnabas.net.FrameDecoder.Pause;
import io.barnabas.port.Connection;
import io.barnabas.wire.MalformedRequestException;
import io.barnabas.wire.RequestDecoder;
import io.barnabas.wire.RequestFrame;
import io.barnabas.wire.ResponseEncoder;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection: takes frames from the {@link FrameDecoder}, has them decoded and dispatched on this thread, and keeps
 * their answers in order. Last in the pipeline. State belongs to the connection's event loop; what {@link Connection} offers is safe
 * from any thread.
 */
// A write that fails closes the channel, and the pipeline tells of that.
@SuppressWarnings("FutureReturnValueIgnored")
final class ConnectionHandler extends ChannelInboundHandlerAdapter implements Connection {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionHandler.class);

    private final long id;
    private final String listenerName;
    private final Channel channel;
    private final InetSocketAddress remote;
    private final SocketContext sockets;
    private final FrameDecoder frames;
    private final RequestDecoder requests;
    private final ResponseSequencer answers;
    private @Nullable ChannelHandlerContext ctx;
    private boolean dispatched;
    private boolean stopping;

    ConnectionHandler(String listenerName, Channel channel, SocketContext sockets, FrameDecoder frames) {
        this.id = sockets.connectionIds().incrementAndGet();
        this.listenerName = listenerName;
        this.channel = channel;
        this.remote = (InetSocketAddress) channel.remoteAddress();
        this.sockets = sockets;
        this.frames = frames;
        this.requests =
                new RequestDecoder((api, version) -> sockets.dispatcher().serves(api, version, listenerName));
        this.answers = new ResponseSequencer();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
        answers.onActive(context);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        RequestFrame request;
        try {
            request = requests.decode((ByteBuffer) message, frames.receivedNanos());
        } catch (MalformedRequestException e) {
            refuse(e);
            return;
        }
        PendingResponse answer = new PendingResponse(this, request);
        answers.onRequest(answer);
        dispatched = true;
        sockets.dispatcher().dispatch(request, this, answer);
        if (answers.inFlight() >= sockets.settings().maxInFlightRequests()) {
            frames.pause(context, Pause.IN_FLIGHT);
        }
    }

    private void refuse(MalformedRequestException e) {
        if (sockets.logLimit().allows()) {
            LOG.warn("connection closed: {}; remote={} listener={}", e.getMessage(), remote, listenerName);
        }
        close();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        answers.onReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable()) {
            frames.resume(context, Pause.ANSWERS_WAIT);
        } else {
            frames.pause(context, Pause.ANSWERS_WAIT);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        answers.onClosed();
        if (dispatched) {
            sockets.dispatcher().onConnectionClosed(this);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("connection lost; remote={}", remote, cause);
        } else {
            LOG.error("connection closed: a defect of ours; remote={}", remote, cause);
        }
        context.close();
    }

    /** An answer is ready to leave; on the event loop. */
    void onAnswer(PendingResponse answer) {
        answers.onAnswer(answer);
        if (ctx == null) {
            return;
        }
        if (answers.inFlight() < sockets.settings().maxInFlightRequests()) {
            frames.resume(ctx, Pause.IN_FLIGHT);
        }
        if (stopping) {
            closeWhenDone(ctx);
        }
    }

    @Override
    public void finish() {
        execute(() -> {
            if (ctx != null) {
                stopping = true;
                frames.pause(ctx, Pause.STOPPING);
                closeWhenDone(ctx);
            }
        });
    }

    private void closeWhenDone(ChannelHandlerContext context) {
        if (answers.inFlight() == 0) {
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(sent -> channel.close());
        }
    }

    /** Waits until the connection is closed, at most so long. */
    void awaitClosed(long timeoutMs) {
        channel.closeFuture().awaitUninterruptibly(timeoutMs);
    }

    /** Requests without an answer; on the event loop. */
    int inFlight() {
        return answers.inFlight();
    }

    ResponseEncoder encoder() {
        return sockets.encoder();
    }

    boolean inEventLoop() {
        return channel.eventLoop().inEventLoop();
    }

    /** Throws {@link java.util.concurrent.RejectedExecutionException} if the event loop has ended. */
    void onEventLoop(Runnable task) {
        channel.eventLoop().execute(task);
    }

    @Override
    public void execute(Runnable task) {
        try {
            onEventLoop(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop has ended; remote={}", remote, e);
        }
    }

    @Override
    public Runnable keep(int bytes) {
        ChannelHandlerContext context = ctx;
        if (context == null) {
            throw new IllegalStateException("no request has been dispatched");
        }
        frames.onKept(context, bytes);
        return () -> {
            sockets.budget().release(bytes);
            execute(() -> frames.onReleased(context, bytes));
        };
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return remote;
    }

    @Override
    public String listenerName() {
        return listenerName;
    }

    @Override
    public KafkaPrincipal principal() {
        return KafkaPrincipal.ANONYMOUS;
    }

    @Override
    public void close() {
        channel.close();
    }
}
