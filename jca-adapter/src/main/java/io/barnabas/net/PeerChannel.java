package io.barnabas.net;

import io.barnabas.port.ConnectionRefusedException;
import io.barnabas.port.PeerConnection;
import io.barnabas.wire.EncodedFrame;
import io.barnabas.wire.MalformedResponseException;
import io.barnabas.wire.ResponseDecoder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection on which this broker is the client: {@link PeerClient} makes it, whoever replicates or asks the controller uses it. An
 * answer is decoded where it was received, after the {@link FrameDecoder}, and handed on within the read. Last in the pipeline. State
 * belongs to the connection's event loop; what {@link PeerConnection} offers is safe from any thread.
 */
// A write that fails closes the channel, and the pipeline tells of that.
@SuppressWarnings("FutureReturnValueIgnored")
final class PeerChannel extends ChannelInboundHandlerAdapter implements PeerConnection {
    private static final Logger LOG = LoggerFactory.getLogger(PeerChannel.class);

    private final String clientId;
    private final InetSocketAddress remote; // not resolved, for words only
    private final EventLoop loop;
    private final PeerContext peers;
    private final ResponseDecoder answers = new ResponseDecoder();
    private final ArrayDeque<Waiting> inFlight = new ArrayDeque<>(4);
    private volatile boolean failed;
    private @Nullable ConnectionRefusedException refusal; // if that is why it failed
    private int inFlightBytes;
    private int nextCorrelationId;
    private long checkNanos = Long.MAX_VALUE; // when the deadlines are looked at next
    private @Nullable Channel channel; // once it is being opened
    private volatile @Nullable FrameDecoder frames; // likewise; read by any thread
    private boolean connected;
    private boolean reading;
    private boolean unflushed;

    PeerChannel(String host, int port, String clientId, EventLoop loop, PeerContext peers) {
        this.clientId = clientId;
        this.remote = InetSocketAddress.createUnresolved(host, port);
        this.loop = loop;
        this.peers = peers;
    }

    /** A request without its answer; {@code unsent} until the connection stands. */
    private static final class Waiting {
        private final ApiKeys api;
        private final short version;
        private final int correlationId;
        private final int bytes;
        private final long deadlineNanos;
        private final Answer answer;
        private @Nullable EncodedFrame unsent;

        private Waiting(ApiMessage request, short version, int correlationId, EncodedFrame frame, Timed timed) {
            this.api = ApiKeys.forId(request.apiKey());
            this.version = version;
            this.correlationId = correlationId;
            this.bytes = frame.sizeInBytes();
            this.deadlineNanos = timed.deadlineNanos;
            this.answer = timed.answer;
            this.unsent = frame;
        }
    }

    private record Timed(long deadlineNanos, Answer answer) {}

    @Override
    public void send(ApiMessage request, short version, int timeoutMs, Answer answer) {
        Timed timed = new Timed(
                peers.frames().clock().nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs)), answer);
        if (loop.inEventLoop()) {
            sendNow(request, version, timed);
            return;
        }
        try {
            loop.execute(() -> sendNow(request, version, timed));
        } catch (RejectedExecutionException e) {
            answer.onFailure(new DisconnectException("the broker stops"));
        }
    }

    private void sendNow(ApiMessage request, short version, Timed timed) {
        if (failed) {
            timed.answer.onFailure(refusal != null ? refusal : new DisconnectException("no connection to " + remote));
            return;
        }
        EncodedFrame frame;
        int correlationId = nextCorrelationId;
        try {
            frame = peers.encoder().encode(request, version, correlationId, clientId);
        } catch (RuntimeException e) {
            LOG.error("a request cannot be encoded; api={} version={}", request.apiKey(), version, e);
            timed.answer.onFailure(new DisconnectException("the request cannot be encoded", e));
            return;
        }
        if (isFull(frame)) {
            frame.release();
            timed.answer.onFailure(new TimeoutException("too much is in flight to " + remote));
            return;
        }
        nextCorrelationId = (correlationId + 1) & Integer.MAX_VALUE;
        Waiting waiting = new Waiting(request, version, correlationId, frame, timed);
        inFlight.addLast(waiting);
        inFlightBytes += waiting.bytes;
        checkBy(waiting.deadlineNanos);
        if (connected) {
            write(waiting);
            flushUnlessReading();
        }
    }

    private boolean isFull(EncodedFrame next) {
        PeerBounds bounds = peers.bounds();
        return inFlight.size() >= bounds.maxInFlightRequests()
                || (!inFlight.isEmpty() && inFlightBytes + (long) next.sizeInBytes() > bounds.maxInFlightBytes());
    }

    private void write(Waiting waiting) {
        Channel to = channel;
        EncodedFrame frame = waiting.unsent;
        if (to == null || frame == null) {
            throw new IllegalStateException("sent twice, or before the connection stands");
        }
        waiting.unsent = null;
        for (Object part : frame.parts()) {
            to.write(part, to.voidPromise());
        }
        unflushed = true;
    }

    private void flushUnlessReading() {
        if (unflushed && !reading && channel != null) {
            unflushed = false;
            channel.flush();
        }
    }

    /** The connection is being opened; on the event loop. */
    void onOpening(Channel opening, FrameDecoder decoder) {
        channel = opening;
        frames = decoder;
        if (failed) {
            opening.close();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        connected = true;
        for (Waiting waiting : inFlight) {
            write(waiting);
        }
        flushUnlessReading();
        ctx.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws MalformedResponseException {
        reading = true;
        @Nullable Waiting waiting = inFlight.peekFirst();
        if (waiting == null) {
            throw new MalformedResponseException("an answer to nothing");
        }
        ApiMessage body = answers.decode((ByteBuffer) message, waiting.api, waiting.version, waiting.correlationId);
        inFlight.removeFirst();
        inFlightBytes -= waiting.bytes;
        waiting.answer.onAnswer(body);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reading = false;
        flushUnlessReading();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(new DisconnectException("the connection to " + remote + " was lost"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            LOG.debug("connection lost; peer={}", remote, cause);
        } else if (cause instanceof MalformedResponseException) {
            LOG.warn("connection closed: {}; peer={}", cause.getMessage(), remote, cause);
        } else {
            LOG.error("connection closed: a defect of ours; peer={}", remote, cause);
        }
        ctx.close();
    }

    /** Has the deadlines looked at by then. A request that is answered leaves the look to those after it. */
    private void checkBy(long nanos) {
        if (checkNanos != Long.MAX_VALUE && checkNanos - nanos <= 0) {
            return;
        }
        checkNanos = nanos;
        long delay = Math.max(0, nanos - peers.frames().clock().nanoTime());
        loop.schedule(() -> check(nanos), delay, TimeUnit.NANOSECONDS);
    }

    private void check(long of) {
        if (checkNanos != of) {
            return; // an earlier look has taken its place
        }
        checkNanos = Long.MAX_VALUE;
        long now = peers.frames().clock().nanoTime();
        @Nullable Waiting first = null;
        for (Waiting waiting : inFlight) {
            if (first == null || waiting.deadlineNanos - first.deadlineNanos < 0) {
                first = waiting;
            }
        }
        if (first == null) {
            return;
        }
        if (first.deadlineNanos - now > 0) {
            checkBy(first.deadlineNanos);
            return;
        }
        LOG.debug("connection closed: no answer in time; api={} peer={}", first.api, remote);
        fail(new TimeoutException("no answer of " + remote + " in time to " + first.api.name));
    }

    /** Closes; what waits fails. On the event loop. */
    void fail(RuntimeException cause) {
        if (failed) {
            return;
        }
        failed = true;
        refusal = cause instanceof ConnectionRefusedException refused ? refused : null;
        if (channel != null) {
            channel.close();
        }
        peers.open().remove(this);
        for (Waiting waiting = inFlight.pollFirst(); waiting != null; waiting = inFlight.pollFirst()) {
            if (waiting.unsent != null) {
                waiting.unsent.release();
            }
            tell(waiting, cause);
        }
    }

    private void tell(Waiting waiting, RuntimeException cause) {
        try {
            waiting.answer.onFailure(cause);
        } catch (RuntimeException e) { // the others must be told, too
            LOG.error("a failure was not taken; api={} peer={}", waiting.api, remote, e);
        }
    }

    @Override
    public boolean isOpen() {
        return !failed;
    }

    @Override
    public boolean hasHeardWithin(long ms) {
        @Nullable FrameDecoder from = frames;
        return from != null && from.hasReceivedWithin(TimeUnit.MILLISECONDS.toNanos(ms));
    }

    @Override
    public EventLoop eventLoop() {
        return loop;
    }

    @Override
    public void close() {
        try {
            loop.execute(() -> fail(new DisconnectException("the connection to " + remote + " was closed")));
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop has ended; peer={}", remote, e);
        }
    }
}
