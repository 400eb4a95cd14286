package io.barnabas.net;

import io.barnabas.port.Responder;
import io.barnabas.wire.EncodedFrame;
import io.barnabas.wire.RequestFrame;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.RejectedExecutionException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request's place in the {@link ResponseSequencer}. Its answer may come from any thread, once; it is encoded on the connection's
 * event loop, where {@link #run} brings it.
 */
final class PendingResponse implements Responder, Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(PendingResponse.class);
    private static final VarHandle ANSWERED;

    static {
        try {
            ANSWERED = MethodHandles.lookup().findVarHandle(PendingResponse.class, "answered", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ConnectionHandler connection;
    private final ApiKeys api;
    private final short requestVersion;
    private final int correlationId;

    @SuppressWarnings("unused") // through ANSWERED
    private volatile boolean answered;

    // written by who answers, read on the event loop after the hand-over
    private @Nullable ApiMessage body;
    private short version;

    // of the event loop
    private @Nullable EncodedFrame frame;
    private boolean ready;

    PendingResponse(ConnectionHandler connection, RequestFrame request) {
        this.connection = connection;
        this.api = request.api();
        this.requestVersion = request.version();
        this.correlationId = request.correlationId();
    }

    @Override
    public void respond(ApiMessage answer) {
        respond(answer, requestVersion);
    }

    @Override
    public void respond(ApiMessage answer, short answerVersion) {
        if (first()) {
            body = answer;
            version = answerVersion;
            handOver();
        }
    }

    @Override
    public void respondNothing() {
        if (first()) {
            handOver();
        }
    }

    @Override
    public void close() {
        if (first()) {
            connection.close();
        }
    }

    private boolean first() {
        if (ANSWERED.compareAndSet(this, false, true)) {
            return true;
        }
        LOG.error("a request was answered twice; api={} correlationId={}", api, correlationId);
        return false;
    }

    private void handOver() {
        if (connection.inEventLoop()) {
            run();
            return;
        }
        try {
            connection.onEventLoop(this);
        } catch (RejectedExecutionException e) { // the event loop has ended, and the connection with it
            encode();
            discard();
        }
    }

    @Override
    public void run() {
        if (!encode()) {
            connection.close();
            return;
        }
        ready = true;
        connection.onAnswer(this);
    }

    private boolean encode() {
        if (body == null) {
            return true;
        }
        try {
            frame = connection.encoder().encode(api, version, correlationId, body);
            return true;
        } catch (RuntimeException e) {
            LOG.error(
                    "an answer cannot be encoded; api={} version={} correlationId={}", api, version, correlationId, e);
            return false;
        } finally {
            body = null;
        }
    }

    boolean ready() {
        return ready;
    }

    /** The encoded answer, now the caller's; null if the request has none. */
    @Nullable
    EncodedFrame takeFrame() {
        @Nullable EncodedFrame taken = frame;
        frame = null;
        return taken;
    }

    /** Gives the answer back unsent. */
    void discard() {
        @Nullable EncodedFrame unsent = takeFrame();
        if (unsent != null) {
            unsent.release();
        }
    }
}
