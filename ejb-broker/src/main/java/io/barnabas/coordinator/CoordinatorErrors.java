package io.barnabas.coordinator;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.protocol.Errors;

/**
 * What clients of a coordinator are told of a failed operation: errors of its partition's log, which mean nothing to them, become
 * errors that make them look for the coordinator again or retry.
 */
public final class CoordinatorErrors {
    private CoordinatorErrors() {}

    /** The answer for an operation that failed; futures' wrappers are taken off. */
    public static Errors of(Throwable failure) {
        return ofAppend(Errors.forException(cause(failure)));
    }

    /** The throwable that a future's wrappers carry. */
    public static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** The answer for an error of the append or of waiting for its commit. */
    public static Errors ofAppend(Errors error) {
        return switch (error) {
            case NETWORK_EXCEPTION -> Errors.COORDINATOR_LOAD_IN_PROGRESS;
            case UNKNOWN_TOPIC_OR_PARTITION, NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT -> Errors.COORDINATOR_NOT_AVAILABLE;
            case NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, FENCED_LEADER_EPOCH -> Errors.NOT_COORDINATOR;
            case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_FETCH_SIZE -> Errors.UNKNOWN_SERVER_ERROR;
            default -> error;
        };
    }
}
