package io.barnabas.system.bench;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;

/**
 * Many clients on one thread: connections that speak the protocol's messages, and timers. Cheap, so that on a machine that client and
 * broker share the broker is what is measured. Confined to the thread that calls {@link #run}.
 */
final class WireLoop implements AutoCloseable {
    private static final int RECEIVE_BYTES = 16 * 1024;

    private final InetSocketAddress broker;
    private final Selector selector;
    private final PriorityQueue<Timer> timers = new PriorityQueue<>();
    private long timerCount;

    WireLoop(String bootstrap) throws IOException {
        int colon = bootstrap.lastIndexOf(':');
        broker = new InetSocketAddress(bootstrap.substring(0, colon), Integer.parseInt(bootstrap.substring(colon + 1)));
        selector = Selector.open();
    }

    private record Timer(long atNs, long order, Runnable action) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            int byTime = Long.compare(atNs - other.atNs, 0);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    void after(long delayMs, Runnable action) {
        timers.add(new Timer(System.nanoTime() + delayMs * 1_000_000, timerCount++, action));
    }

    Connection connect() throws IOException {
        return new Connection();
    }

    /** Serves connections and timers until {@code done}, which is looked at after every round. */
    void run(long timeoutMs, BooleanSupplier done) throws IOException {
        long end = System.nanoTime() + timeoutMs * 1_000_000;
        while (!done.getAsBoolean()) {
            long now = System.nanoTime();
            if (now - end >= 0) {
                throw new IllegalStateException("not done within " + timeoutMs + " ms");
            }
            long next = timers.isEmpty() ? end : Math.min(end, timers.peek().atNs);
            select(next - now);
            now = System.nanoTime();
            while (!timers.isEmpty() && timers.peek().atNs - now <= 0) {
                timers.poll().action.run();
            }
        }
    }

    /** Serves connections and timers for some time. */
    void run(long durationMs) throws IOException {
        long end = System.nanoTime() + durationMs * 1_000_000;
        boolean[] ended = {false};
        after(durationMs, () -> ended[0] = true);
        run(durationMs + 60_000, () -> ended[0] || System.nanoTime() - end >= 0);
    }

    private void select(long waitNs) throws IOException {
        if (waitNs <= 0) {
            selector.selectNow();
        } else {
            selector.select(Math.max(1, waitNs / 1_000_000));
        }
        for (SelectionKey key : selector.selectedKeys()) {
            ((Connection) key.attachment()).onReadable();
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        for (SelectionKey key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }

    /** A connection whose answers come in the order of its requests. */
    final class Connection implements AutoCloseable {
        private final SocketChannel channel;
        private final Deque<Expected> expected = new ArrayDeque<>();
        private ByteBuffer in = ByteBuffer.allocate(RECEIVE_BYTES);
        private int correlationId;

        private record Expected(ApiKeys api, short version, Consumer<ApiMessage> onAnswer) {}

        private Connection() throws IOException {
            channel = SocketChannel.open(broker);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ, this);
        }

        /** Sends a request. @param onAnswer gets the response message; its type follows from the request's */
        void send(ApiMessage request, int version, Consumer<ApiMessage> onAnswer) {
            ApiKeys api = ApiKeys.forId(request.apiKey());
            RequestHeaderData header = new RequestHeaderData()
                    .setRequestApiKey(api.id)
                    .setRequestApiVersion((short) version)
                    .setClientId("bench")
                    .setCorrelationId(correlationId++);
            ByteBuffer body =
                    RequestUtils.serialize(header, api.requestHeaderVersion((short) version), request, (short) version);
            ByteBuffer frame = ByteBuffer.allocate(Integer.BYTES + body.remaining());
            frame.putInt(body.remaining()).put(body).flip();
            expected.add(new Expected(api, (short) version, onAnswer));
            try {
                while (frame.hasRemaining()) { // far less than a socket takes
                    channel.write(frame);
                }
            } catch (IOException e) {
                throw new IllegalStateException("the broker closed a connection", e);
            }
        }

        private void onReadable() throws IOException {
            if (channel.read(in) < 0) {
                throw new EOFException("the broker closed a connection");
            }
            in.flip();
            while (in.remaining() >= Integer.BYTES) {
                int length = in.getInt(in.position());
                if (in.remaining() < Integer.BYTES + length) {
                    grow(Integer.BYTES + length);
                    break;
                }
                ByteBuffer frame = in.slice(in.position() + Integer.BYTES, length);
                in.position(in.position() + Integer.BYTES + length);
                onFrame(frame);
            }
            in.compact();
        }

        private void grow(int bytes) {
            if (in.capacity() < bytes) {
                ByteBuffer larger = ByteBuffer.allocate(bytes);
                larger.put(in).flip();
                in = larger;
            }
        }

        private void onFrame(ByteBuffer frame) {
            Expected answered = expected.remove();
            ResponseHeader.parse(frame, answered.api.responseHeaderVersion(answered.version));
            ApiMessage response = answered.api.messageType.newResponse();
            response.read(new ByteBufferAccessor(frame), answered.version);
            answered.onAnswer.accept(response);
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
