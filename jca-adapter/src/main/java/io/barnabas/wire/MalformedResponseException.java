package io.barnabas.wire;

/** Bytes that are not the answer that was awaited: the connection to the other broker is closed. */
public final class MalformedResponseException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedResponseException(String message) {
        super(message, null, false, false);
    }

    public MalformedResponseException(String message, Throwable cause) {
        super(message, cause, false, false);
    }
}
