package io.barnabas.wire;

import org.apache.kafka.common.protocol.ApiKeys;

/** An answer is larger than any may be ({@link ResponseEncoder#BYTES_MAX}): it is not sent, and its connection is closed. */
public final class AnswerTooLargeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    AnswerTooLargeException(ApiKeys api, int bytes) {
        super("the answer has " + bytes + " bytes, more than " + ResponseEncoder.BYTES_MAX + "; api=" + api);
    }
}
