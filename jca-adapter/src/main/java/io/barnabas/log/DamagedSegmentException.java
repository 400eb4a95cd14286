package io.barnabas.log;

import java.io.IOException;

/** A segment holds what is no batch, or what its index does not know: the disk answers, so it is not to blame as a whole. */
final class DamagedSegmentException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedSegmentException(Object segment, BatchCursor at) {
        super(segment + " is damaged at " + at.position() + ": " + at.fault());
    }
}
