package io.barnabas.port;

import java.net.InetSocketAddress;
import org.apache.kafka.common.security.auth.KafkaPrincipal;

/** A client's connection as the broker sees it. Safe to use from any thread. */
public interface Connection {
    /** A number that no other connection of this process has. */
    long id();

    InetSocketAddress remoteAddress();

    /** The listener's name, as in {@code listeners} (for example PLAINTEXT). */
    String listenerName();

    /** Who is at the other end: ANONYMOUS on a listener without authentication. */
    KafkaPrincipal principal();

    /**
     * Runs {@code task} later, on the connection's event loop: where a timer of one of its requests leaves the ticker's thread. It is
     * dropped if the event loop has ended, and the connection with it.
     */
    void execute(Runnable task);

    /**
     * Counts memory that a request keeps when {@link RequestDispatcher#dispatch} has returned, against the bound on frames in memory
     * ({@code queued.max.request.bytes}). If the bound is reached, the connection is read no further until its requests have given back
     * what they keep. Only within {@code dispatch}, on the event loop.
     *
     * @return gives the bytes back; to be run once, on any thread, even if the connection is closed by then
     */
    Runnable keep(int bytes);

    /** Reads no further, and closes the connection once what it has asked for is answered. Idempotent. */
    void finish();

    /** Closes the connection without an answer. Idempotent. */
    void close();
}
