package io.barnabas.server;

/** The server cannot start; the message is one line for the operator. */
final class StartFailure extends Exception {
    private static final long serialVersionUID = 1L;

    StartFailure(String message) {
        super(message);
    }
}
