package io.barnabas.server;

import com.hazelcast.internal.networking.Channel;
import com.hazelcast.internal.networking.HandlerStatus;
import com.hazelcast.internal.networking.InboundHandler;
import com.hazelcast.internal.networking.OutboundHandler;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * TLS of one connection between members: the first handler of what comes in and the last of what goes out. Until the other end has shown the
 * cluster's key nothing of Hazelcast's goes either way.
 *
 * <p>The two directions have threads of their own, and the handshake needs both: a direction that has to wait for the other is blocked, which
 * costs no thread, and woken by it. All that they share is guarded by this object. What the engine wants computed is computed in between,
 * some milliseconds a connection: members are few, and connect once.
 */
final class SecuredChannel {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final int ALERT = 21;
    private static final int HANDSHAKE = 22;

    private final Channel channel;
    private final SSLEngine engine;
    private final Consumer<String> refused;
    private final ByteBuffer decrypted; // of one record, between calls only what the next handler had no room for
    private boolean speaksTls;
    private boolean readWaits;
    private @Nullable SSLException failure;
    private volatile boolean known;

    /** @param refused told why, if the other end has not the key */
    SecuredChannel(Channel channel, SSLEngine engine, Consumer<String> refused) {
        this.channel = channel;
        this.engine = engine;
        this.refused = refused;
        this.decrypted = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    }

    /** Whether the other end has shown the key. */
    boolean isKnown() {
        return known;
    }

    InboundHandler<ByteBuffer, ByteBuffer> decrypting() {
        return new InboundHandler<>() {
            @Override
            public void handlerAdded() {
                src = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
            }

            @Override
            public HandlerStatus onRead() throws IOException {
                src.flip();
                try {
                    return decrypt(src, dst);
                } finally {
                    src.compact();
                }
            }
        };
    }

    OutboundHandler<ByteBuffer, ByteBuffer> encrypting() {
        return new OutboundHandler<>() {
            @Override
            public void handlerAdded() {
                dst = ByteBuffer.allocate(2 * engine.getSession().getPacketBufferSize())
                        .flip();
            }

            @Override
            public HandlerStatus onWrite() throws IOException {
                dst.compact();
                try {
                    return encrypt(src, dst);
                } finally {
                    dst.flip();
                }
            }
        };
    }

    private synchronized HandlerStatus decrypt(ByteBuffer from, ByteBuffer to) throws IOException {
        while (true) {
            if (!handOn(to)) {
                return HandlerStatus.DIRTY;
            }
            if (failure != null) {
                from.position(from.limit());
                return HandlerStatus.BLOCKED; // until what is said of it is sent, and the connection closed
            }
            if (handshake() == HandshakeStatus.NEED_WRAP) {
                readWaits = true;
                channel.outboundPipeline().wakeup();
                return HandlerStatus.BLOCKED;
            }
            if (!from.hasRemaining()) {
                return HandlerStatus.CLEAN;
            }
            checkSpeaksTls(from);
            try {
                SSLEngineResult result = engine.unwrap(from, decrypted);
                switch (result.getStatus()) {
                    case BUFFER_UNDERFLOW -> {
                        if (from.remaining() == from.capacity()) {
                            throw new SSLException("A record is too long");
                        }
                        return HandlerStatus.CLEAN;
                    }
                    case BUFFER_OVERFLOW -> throw new SSLException("A record is too long");
                    case CLOSED -> throw new EOFException("closed by the other end");
                    default -> noteHandshake(result);
                }
            } catch (SSLException e) {
                fail(e);
            }
        }
    }

    /** @return whether all that is decrypted has been taken */
    private boolean handOn(ByteBuffer to) {
        decrypted.flip();
        int size = Math.min(decrypted.remaining(), to.remaining());
        to.put(decrypted.slice().limit(size));
        decrypted.position(decrypted.position() + size);
        boolean all = !decrypted.hasRemaining();
        decrypted.compact();
        return all;
    }

    /** The engine would wait for the rest of a record that never comes. */
    private void checkSpeaksTls(ByteBuffer from) throws SSLException {
        int first = from.get(from.position());
        if (!speaksTls && first != HANDSHAKE && first != ALERT) {
            String reason = "It does not speak TLS";
            refused.accept(reason);
            throw new SSLException(reason);
        }
        speaksTls = true;
    }

    private synchronized HandlerStatus encrypt(ByteBuffer from, ByteBuffer to) throws IOException {
        while (true) {
            HandshakeStatus status = handshake();
            boolean ofHandshake = status == HandshakeStatus.NEED_WRAP && !engine.isOutboundDone();
            if (failure != null && !ofHandshake) {
                if (to.position() > 0) {
                    return HandlerStatus.DIRTY; // the other end is to hear why
                }
                throw failure;
            }
            if (!ofHandshake) {
                wakeReader();
                if (status == HandshakeStatus.NEED_UNWRAP) {
                    return HandlerStatus.BLOCKED;
                }
                if (!from.hasRemaining()) {
                    return HandlerStatus.CLEAN;
                }
            }
            try {
                SSLEngineResult result = engine.wrap(ofHandshake ? NOTHING : from, to);
                switch (result.getStatus()) {
                    case BUFFER_OVERFLOW -> {
                        return HandlerStatus.DIRTY;
                    }
                    case CLOSED -> {
                        if (failure == null) {
                            throw new EOFException("closed by the other end");
                        }
                    }
                    default -> noteHandshake(result);
                }
            } catch (SSLException e) {
                fail(e);
            }
        }
    }

    private HandshakeStatus handshake() {
        for (@Nullable Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
        return engine.getHandshakeStatus();
    }

    private void noteHandshake(SSLEngineResult result) {
        if (result.getHandshakeStatus() == HandshakeStatus.FINISHED) {
            known = true;
            channel.outboundPipeline().wakeup(); // Hazelcast may speak
        }
    }

    private void wakeReader() {
        if (readWaits) {
            readWaits = false;
            channel.inboundPipeline().wakeup();
        }
    }

    private void fail(SSLException e) {
        if (failure == null) {
            failure = e;
            if (!known) {
                refused.accept(String.valueOf(e.getMessage()));
            }
            channel.outboundPipeline().wakeup();
        }
    }
}
