package io.barnabas.request;

import io.barnabas.port.Responder;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.jspecify.annotations.Nullable;

/** Keeps the answer of one request, and sees to it that there is only one. Safe from any thread. */
public final class RecordedAnswer implements Responder {
    private @Nullable ApiMessage body;
    private @Nullable Short version;
    private boolean nothing;
    private boolean closed;

    public synchronized boolean given() {
        return body != null || nothing || closed;
    }

    public synchronized boolean nothing() {
        return nothing;
    }

    public synchronized boolean closed() {
        return closed;
    }

    /** The version in which the answer was given, if it is not the request's. */
    public synchronized @Nullable Short version() {
        return version;
    }

    /** The answer. */
    public synchronized <T extends ApiMessage> T body(Class<T> type) {
        if (body == null) {
            throw new AssertionError("no answer yet");
        }
        return type.cast(body);
    }

    /** The answer's bytes in a version, as far as it can be written without a socket. */
    public synchronized ByteBufferAccessor bytes(short in) {
        if (body == null) {
            throw new AssertionError("no answer yet");
        }
        return MessageUtil.toByteBufferAccessor(body, in);
    }

    private void once() {
        if (given()) {
            throw new AssertionError("a second answer");
        }
    }

    @Override
    public synchronized void respond(ApiMessage answer) {
        once();
        body = answer;
    }

    @Override
    public synchronized void respond(ApiMessage answer, short in) {
        once();
        body = answer;
        version = in;
    }

    @Override
    public synchronized void respondNothing() {
        once();
        nothing = true;
    }

    @Override
    public synchronized void close() {
        once();
        closed = true;
    }
}
