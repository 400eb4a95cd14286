package io.barnabas.log;

import java.io.IOException;

/** A data directory that this broker must not touch: it is another's, or another process uses it. Stops the start. */
public final class ForeignDirectoryException extends IOException {
    private static final long serialVersionUID = 1L;

    public ForeignDirectoryException(String message) {
        super(message);
    }

    public ForeignDirectoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
