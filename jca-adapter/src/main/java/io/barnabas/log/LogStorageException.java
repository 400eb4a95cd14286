package io.barnabas.log;

import org.apache.kafka.common.errors.KafkaStorageException;

/** The disk under a log failed; the log's data directory is offline. Answered as KAFKA_STORAGE_ERROR. */
public final class LogStorageException extends KafkaStorageException {
    private static final long serialVersionUID = 1L;

    public LogStorageException(String message, Throwable cause) {
        super(message, cause);
    }

    public LogStorageException(String message) {
        super(message);
    }
}
