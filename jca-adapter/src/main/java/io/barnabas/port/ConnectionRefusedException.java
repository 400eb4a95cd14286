package io.barnabas.port;

import org.apache.kafka.common.errors.DisconnectException;

/**
 * Nobody listens where a broker is said to be, and its machine says so: the broker's process has ended, or has not opened its sockets yet.
 * A connection that only fails, or takes too long, tells nothing of the kind.
 */
public final class ConnectionRefusedException extends DisconnectException {
    private static final long serialVersionUID = 1L;

    /** @param message names the address */
    public ConnectionRefusedException(String message) {
        super(message);
    }
}
