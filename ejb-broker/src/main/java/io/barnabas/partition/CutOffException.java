package io.barnabas.partition;

import org.apache.kafka.common.errors.NotLeaderOrFollowerException;

/**
 * The leader reaches neither its in-sync replicas nor the controller: another leads by now, or will soon, and what a client asks for here
 * may not come for long. To the client it is NOT_LEADER_OR_FOLLOWER; whatever it sent may be committed or not.
 */
public final class CutOffException extends NotLeaderOrFollowerException {
    private static final long serialVersionUID = 1L;

    CutOffException(String message) {
        super(message);
    }
}
