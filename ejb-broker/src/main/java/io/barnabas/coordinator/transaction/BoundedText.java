package io.barnabas.coordinator.transaction;

import org.apache.kafka.common.errors.InvalidRegularExpression;

/**
 * A text that may be looked at so often and no more: a pattern of a client that would go through it without end is refused instead.
 * For one match, by one thread.
 */
final class BoundedText implements CharSequence {
    private static final int LOOKS_MAX = 200_000;

    private final String text;
    private int looks;

    BoundedText(String text) {
        this.text = text;
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public char charAt(int index) {
        if (++looks > LOOKS_MAX) {
            throw new InvalidRegularExpression("The pattern takes too long to match");
        }
        return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        return text;
    }
}
