package io.barnabas.coordinator;

import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * One record of a coordinator's partition, as key and value messages.
 *
 * @param value null for a tombstone
 * @param valueVersion the version in which the value is written; of no meaning for a tombstone
 */
public record CoordinatorRecord(ApiMessage key, @Nullable ApiMessage value, short valueVersion) {
    public static CoordinatorRecord of(ApiMessage key, ApiMessage value, int valueVersion) {
        return new CoordinatorRecord(key, value, (short) valueVersion);
    }

    public static CoordinatorRecord tombstone(ApiMessage key) {
        return new CoordinatorRecord(key, null, (short) 0);
    }
}
