package io.barnabas.coordinator;

import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/** The record types of one coordinator topic: how empty messages of them are made, to be read into. Safe from any thread. */
public interface RecordTypes {
    /** An empty key of a type, or null if records of the type are passed over. */
    @Nullable
    ApiMessage newKey(short type);

    /**
     * An empty value of a type that {@link #newKey} knows, or null if the value is not read: the shard then learns only that there is
     * one, by {@link OpaqueValue}.
     */
    @Nullable
    ApiMessage newValue(short type);
}
