package io.barnabas.log;

import java.util.List;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;

/**
 * What an exception carries when single records of a batch are to blame: the produce handler copies it into
 * {@code ProduceResponse.recordErrors} (KIP-467), so that the client can tell the guilty records from those that were merely in the
 * same batch. The exceptions extend kafka-clients' own, so the error code follows from the class as for any other.
 */
public sealed interface RejectedRecords {
    /** The guilty records in order; at most {@link #MAX_ERRORS} of them, never empty. */
    List<RecordError> recordErrors();

    /** So many are named; a batch with more guilty records is refused all the same. */
    int MAX_ERRORS = 1_000;

    /**
     * One guilty record.
     *
     * @param index of the record in its batch
     * @param message for the client's log
     */
    record RecordError(int index, String message) {}

    /** Answered as INVALID_RECORD. */
    final class InvalidRecords extends InvalidRecordException implements RejectedRecords {
        private static final long serialVersionUID = 1L;
        private final transient List<RecordError> errors;

        InvalidRecords(List<RecordError> errors) {
            super("One or more records have been rejected: " + errors.get(0).message());
            this.errors = List.copyOf(errors);
        }

        @Override
        public List<RecordError> recordErrors() {
            return errors;
        }
    }

    /** Answered as INVALID_TIMESTAMP: as soon as one record's timestamp is to blame, whatever else is wrong with others. */
    final class InvalidTimestamps extends InvalidTimestampException implements RejectedRecords {
        private static final long serialVersionUID = 1L;
        private final transient List<RecordError> errors;

        InvalidTimestamps(List<RecordError> errors) {
            super("One or more records have been rejected due to invalid timestamp");
            this.errors = List.copyOf(errors);
        }

        @Override
        public List<RecordError> recordErrors() {
            return errors;
        }
    }
}
