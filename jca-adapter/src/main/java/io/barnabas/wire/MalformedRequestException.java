package io.barnabas.wire;

/** Bytes that are no request of Kafka's protocol: the connection is closed without an answer, as Kafka does. */
public final class MalformedRequestException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedRequestException(String message) {
        super(message, null, false, false);
    }

    public MalformedRequestException(String message, Throwable cause) {
        super(message, cause, false, false);
    }
}
