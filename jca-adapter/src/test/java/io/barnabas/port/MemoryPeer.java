package io.barnabas.port;

import io.barnabas.port.MemoryNetwork.Link;
import io.barnabas.port.MemoryNetwork.Listening;
import io.barnabas.time.Ticker;
import io.barnabas.wire.EncodedFrame;
import io.barnabas.wire.MalformedRequestException;
import io.barnabas.wire.MalformedResponseException;
import io.barnabas.wire.RequestDecoder;
import io.barnabas.wire.RequestEncoder;
import io.barnabas.wire.RequestFrame;
import io.barnabas.wire.ResponseDecoder;
import io.barnabas.wire.ResponseEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.FileRegion;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/** A connection of a {@link MemoryNetwork}, both its ends; all state belongs to the ticker's thread. */
final class MemoryPeer implements PeerConnection {
    private static final RequestEncoder REQUESTS = new RequestEncoder(UnpooledByteBufAllocator.DEFAULT);
    private static final ResponseEncoder ANSWERS = new ResponseEncoder(UnpooledByteBufAllocator.DEFAULT);

    private static final long NEVER = -1;

    private final MemoryNetwork network;
    private final Link there;
    private final Link back;
    private final int port;
    private final String clientId;
    private final ResponseDecoder answers = new ResponseDecoder();
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private final ArrayDeque<byte[]> requestsUnderWay = new ArrayDeque<>();
    private final ArrayDeque<byte[]> answersUnderWay = new ArrayDeque<>();
    private int requestsDue; // of those under way, how many have travelled long enough
    private int answersDue;
    private final ArrayDeque<Slot> slots = new ArrayDeque<>();
    private @Nullable MemoryConnection server;
    private boolean arrivalDue;
    private boolean finishing;
    private volatile boolean failed;
    private @Nullable ConnectionRefusedException refusal;
    private int nextCorrelationId;
    private volatile long heardMs = NEVER;

    MemoryPeer(MemoryNetwork network, Link there, int port, String clientId) {
        this.network = network;
        this.there = there;
        this.back = new Link(there.to(), there.from());
        this.port = port;
        this.clientId = clientId;
    }

    private record Waiting(ApiKeys api, short version, int correlationId, Answer answer, Ticker.Timeout timer) {}

    boolean touches(String host) {
        return there.from().equals(host) || there.to().equals(host);
    }

    @Override
    public void send(ApiMessage request, short version, int timeoutMs, Answer answer) {
        network.ticker().after(0, () -> sendNow(request, version, timeoutMs, answer));
    }

    private void sendNow(ApiMessage request, short version, int timeoutMs, Answer answer) {
        if (failed) {
            answer.onFailure(refusal != null ? refusal : new DisconnectException("no connection to " + there.to()));
            return;
        }
        int correlationId = nextCorrelationId++;
        byte[] frame = bytes(REQUESTS.encode(request, version, correlationId, clientId));
        Ticker.Timeout timer = network.ticker()
                .after(timeoutMs, () -> fail(new TimeoutException("no answer of " + there.to() + " in time")));
        waiting.addLast(new Waiting(ApiKeys.forId(request.apiKey()), version, correlationId, answer, timer));
        requestsUnderWay.addLast(frame);
        network.ticker().after(network.delay(there), () -> {
            requestsDue++;
            deliver();
        });
    }

    /** The connection's opening has travelled. */
    void arrive() {
        arrivalDue = true;
        deliver();
    }

    /** Delivers what has travelled long enough and is not cut. */
    void deliver() {
        if (failed) {
            return;
        }
        if (!network.isCut(there)) {
            if (arrivalDue && server == null) {
                @Nullable Listening listening = network.listening(there.to(), port);
                if (listening == null) {
                    fail(new ConnectionRefusedException(there.to() + " does not listen"));
                    return;
                }
                server = new MemoryConnection(network, listening, this::finish, this::reset);
            }
            while (server != null && requestsDue > 0 && !failed && !finishing) {
                requestsDue--;
                onRequest(server, requestsUnderWay.removeFirst());
            }
        }
        while (answersDue > 0 && !network.isCut(back) && !failed) {
            answersDue--;
            onAnswer(answersUnderWay.removeFirst());
        }
        maybeFinish();
    }

    /** The server's end reads no further, and closes when its answers have arrived. */
    private void finish() {
        finishing = true;
        maybeFinish();
    }

    private void maybeFinish() {
        if (finishing && slots.isEmpty() && answersUnderWay.isEmpty()) {
            reset();
        }
    }

    private void onRequest(MemoryConnection connection, byte[] bytes) {
        RequestDispatcher dispatcher = connection.dispatcher();
        RequestFrame request;
        try {
            request = new RequestDecoder((api, version) -> dispatcher.serves(api, version, connection.listenerName()))
                    .decode(ByteBuffer.wrap(bytes), network.clock().nanoTime());
        } catch (MalformedRequestException e) {
            reset();
            return;
        }
        Slot slot = new Slot(request);
        slots.addLast(slot);
        dispatcher.dispatch(request, connection, slot);
        Arrays.fill(bytes, (byte) 0xAA);
    }

    private void onAnswer(byte[] bytes) {
        heardMs = network.clock().monotonicMillis();
        Waiting first = waiting.removeFirst();
        first.timer().cancel();
        ApiMessage body;
        try {
            body = answers.decode(ByteBuffer.wrap(bytes), first.api(), first.version(), first.correlationId());
        } catch (MalformedResponseException e) {
            throw new IllegalStateException(e);
        }
        first.answer().onAnswer(body);
        Arrays.fill(bytes, (byte) 0xAA);
    }

    /** The other end, or this one, is gone. */
    void reset() {
        fail(new DisconnectException("the connection to " + there.to() + " was lost"));
    }

    private void fail(RuntimeException cause) {
        if (failed) {
            return;
        }
        failed = true;
        refusal = cause instanceof ConnectionRefusedException refused ? refused : null;
        network.forget(this);
        while (!waiting.isEmpty()) {
            Waiting next = waiting.removeFirst();
            next.timer().cancel();
            next.answer().onFailure(cause);
        }
        if (server != null) {
            server.onClosed();
        }
    }

    @Override
    public boolean isOpen() {
        return !failed;
    }

    @Override
    public boolean hasHeardWithin(long ms) {
        boolean parts = network.trickles(back) && answersDue > 0;
        return parts || (heardMs != NEVER && network.clock().monotonicMillis() - heardMs < ms);
    }

    @Override
    public Executor eventLoop() {
        return task -> network.ticker().after(0, task);
    }

    @Override
    public void close() {
        network.ticker().after(0, () -> fail(new DisconnectException("closed")));
    }

    /** The place of an answer: they leave in the order of the requests. */
    private final class Slot implements Responder {
        private final RequestFrame request;
        private byte @Nullable [] frame;
        private boolean answered;

        private Slot(RequestFrame request) {
            this.request = request;
        }

        @Override
        public void respond(ApiMessage body) {
            respond(body, request.version());
        }

        @Override
        public void respond(ApiMessage body, short version) {
            byte[] encoded = bytes(ANSWERS.encode(request.api(), version, request.correlationId(), body));
            network.ticker().after(0, () -> {
                frame = encoded;
                answered = true;
                leave();
            });
        }

        @Override
        public void respondNothing() {
            network.ticker().after(0, () -> {
                answered = true;
                leave();
            });
        }

        @Override
        public void close() {
            network.ticker().after(0, MemoryPeer.this::reset);
        }
    }

    private void leave() {
        while (!slots.isEmpty() && Objects.requireNonNull(slots.peekFirst()).answered) {
            byte @Nullable [] frame = slots.removeFirst().frame;
            if (frame != null) {
                answersUnderWay.addLast(frame);
                network.ticker().after(network.delay(back), () -> {
                    answersDue++;
                    deliver();
                });
            }
        }
    }

    /** What would leave the socket, without its length prefix. */
    private static byte[] bytes(EncodedFrame frame) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(frame.sizeInBytes());
        try (WritableByteChannel channel = Channels.newChannel(out)) {
            for (Object part : frame.parts()) {
                if (part instanceof ByteBuf buffer) {
                    buffer.readBytes(out, buffer.readableBytes());
                } else if (part instanceof FileRegion region) {
                    long sent = 0;
                    while (sent < region.count()) {
                        sent += region.transferTo(channel, sent);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            frame.release();
        }
        byte[] all = out.toByteArray();
        return Arrays.copyOfRange(all, 4, all.length);
    }
}
