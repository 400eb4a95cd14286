package io.barnabas.net;

import io.barnabas.wire.EncodedFrame;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets answers leave in the order of their requests, whatever the order in which they come (clients match them by position). Answers
 * that come within a read are flushed together at its end; others at the end of the event loop's turn. All state belongs to the
 * connection's event loop; answers from other threads are brought there by {@link PendingResponse}.
 */
// A write that fails closes the channel, and the pipeline tells of that.
@SuppressWarnings("FutureReturnValueIgnored")
final class ResponseSequencer {
    private final ArrayDeque<PendingResponse> inFlight = new ArrayDeque<>(4);
    private final Runnable flushLater = this::flushScheduled;
    private @Nullable ChannelHandlerContext ctx;
    private boolean reading;
    private boolean unflushed;
    private boolean flushScheduled;
    private boolean closed;

    void onActive(ChannelHandlerContext context) {
        ctx = context;
    }

    /** Requests without an answer, and answers that wait for earlier ones. */
    int inFlight() {
        return inFlight.size();
    }

    void onRequest(PendingResponse response) {
        reading = true;
        inFlight.addLast(response);
    }

    /** An answer is there: sends it and what waited for it. */
    void onAnswer(PendingResponse answered) {
        if (closed) {
            answered.discard();
            return;
        }
        @Nullable PendingResponse head = inFlight.peekFirst();
        while (head != null && head.ready()) {
            inFlight.removeFirst();
            @Nullable EncodedFrame frame = head.takeFrame();
            if (frame != null) {
                write(frame);
            }
            head = inFlight.peekFirst();
        }
        if (unflushed && !reading && !flushScheduled) {
            flushScheduled = true;
            context().executor().execute(flushLater);
        }
    }

    private void write(EncodedFrame frame) {
        Channel channel = context().channel();
        List<Object> parts = frame.parts();
        for (int i = 0; i < parts.size(); i++) {
            context().write(parts.get(i), channel.voidPromise());
        }
        unflushed = true;
    }

    /** The end of a read: what it answered leaves at once. */
    void onReadComplete() {
        reading = false;
        flush();
    }

    private void flushScheduled() {
        flushScheduled = false;
        flush();
    }

    private void flush() {
        if (unflushed && !closed) {
            unflushed = false;
            context().flush();
        }
    }

    /** The connection is gone: answers that waited are given back, later ones will be. */
    void onClosed() {
        closed = true;
        for (PendingResponse response : inFlight) {
            response.discard();
        }
        inFlight.clear();
    }

    private ChannelHandlerContext context() {
        if (ctx == null) {
            throw new IllegalStateException("the connection is not open yet");
        }
        return ctx;
    }
}
