package io.barnabas.port;

import org.apache.kafka.common.protocol.ApiMessage;

/**
 * Takes the answer to one request; exactly one of its methods is called, once, from any thread. Answers leave the connection in the
 * order of its requests, whatever the order in which they are given here.
 */
public interface Responder {
    /** Sends {@code body} in the request's version. */
    void respond(ApiMessage body);

    /** Sends {@code body} in another version than the request's: only the answer to an unknown ApiVersions version needs it (KIP-511). */
    void respond(ApiMessage body, short version);

    /** The request has no answer (Produce with acks=0). */
    void respondNothing();

    /** Closes the connection without an answer. */
    void close();
}
