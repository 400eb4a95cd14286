package io.barnabas.port;

import java.util.concurrent.Executor;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * A connection to another broker, on which this one is the client. It is not repaired: once it fails, whoever needs it makes another
 * by {@link PeerConnector}. Safe from any thread.
 */
public interface PeerConnection extends AutoCloseable {
    /**
     * Sends a request; answers come in the order of the requests. The message belongs to the connection until it is answered. If as
     * many requests or bytes are in flight as may be, it fails at once with a TimeoutException, and the connection stays.
     *
     * @param timeoutMs if there is no answer by then the connection is closed, and all that waits on it fails
     * @param answer told exactly once, on the connection's event loop; within this call if it comes from there, or the loop has ended
     */
    void send(ApiMessage request, short version, int timeoutMs, Answer answer);

    /** Whether requests can be sent: false once the connection was refused, lost or closed. */
    boolean isOpen();

    /** Whether anything has come in within the last so many milliseconds, be it a part of an answer. */
    boolean hasHeardWithin(long ms);

    /** The connection's event loop. */
    Executor eventLoop();

    /** Closes it; what waits for an answer fails. Idempotent. */
    @Override
    void close();

    /** Takes the answer to one request; must not block. */
    interface Answer {
        /** Records and byte buffers in {@code body} are views of the receive buffer, valid until this returns. */
        void onAnswer(ApiMessage body);

        /**
         * There will be no answer; whether the request was carried out is unknown.
         *
         * @param cause a {@link org.apache.kafka.common.errors.DisconnectException}, which is a {@link ConnectionRefusedException} if
         *     nobody listens there, or a {@link org.apache.kafka.common.errors.TimeoutException}
         */
        void onFailure(RuntimeException cause);
    }
}
