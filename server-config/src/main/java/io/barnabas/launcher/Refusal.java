package io.barnabas.launcher;

/** Something that the operator must change; the message is the one line that is shown. */
final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
        super(message);
    }
}
