package io.barnabas.start;

/** The start, or a command, cannot go on; the message is one line for the operator that says what to do about it. */
public final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message one line: what is wrong, with key, value or path, and what to do next */
    public Refusal(String message) {
        super(message);
    }
}
